#include "base_file.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "codec.h"
#include "state_files.h"

namespace ssync::index {

namespace {

std::optional<Block> parse_block(FileBytes file) {
  Block block;
  block.payload = file.bytes.subspan(kBlockFrameBytes);
  In in(block.payload);
  block.location = in.text(kPathBytesMax);
  block.number = in.varint_of<std::uint32_t>();
  block.rows = in.varint_of<std::uint32_t>();
  if (in.failed() || block.rows > kBlockRowsMax) return std::nullopt;
  block.records = block.payload.subspan(block.payload.size() - in.left());
  block.file = std::move(file);
  return block;
}

}  // namespace

std::shared_ptr<const BaseFile> BaseFile::open(UniqueFd fd, std::shared_ptr<Damage> damage) {
  const std::shared_ptr<BaseFile> file(new BaseFile(std::move(fd), std::move(damage)));
  file->usable_ = file->fd_.valid() && file->load();
  if (!file->usable_) file->tables_damaged_.store(true, std::memory_order_relaxed);
  return file;
}

bool BaseFile::load() {
  const Result<std::uint64_t> size = size_of(fd_.get());
  if (!size) {
    damage_->add("the index cannot be read: " + size.error().text());
    return false;
  }
  std::array<std::uint8_t, kPrologue.size()> prologue{};
  const Result<std::size_t> got = read_at(fd_.get(), 0, prologue);
  if (!got || *got != prologue.size() || prologue != kPrologue) {
    damage_->add(std::ranges::equal(std::span(prologue).first<8>(), std::span(kPrologue).first<8>())
                     ? "the index was written by another version of this program"
                     : "the index does not start as one");
    return false;
  }
  if (!load_trailer(*size)) {
    damage_->add("the end of the index is damaged or missing");
    return false;
  }
  if (!load_tables() || !load_header()) {
    damage_->add("the tables of the index are damaged");
    return false;
  }
  extents_.emplace(fd_.get(), trailer_.blocks_end);
  return true;
}

bool BaseFile::load_trailer(std::uint64_t file_size) {
  if (file_size < kBlocksBegin + kTrailerBytes || file_size > kOffsetMax) return false;
  std::array<std::uint8_t, kTrailerBytes> bytes{};
  const Result<std::size_t> got = read_at(fd_.get(), file_size - kTrailerBytes, bytes);
  if (!got || *got != bytes.size()) return false;
  const std::uint64_t checksum = load_le<std::uint64_t>(bytes.data() + kTrailerBytes - 8);
  if (checksum64(ByteSpan(bytes).first(kTrailerBytes - 8), kTrailerMagic) != checksum) return false;
  In in(bytes);
  if (in.fixed<std::uint64_t>() != kTrailerMagic) return false;
  for (std::uint64_t* field :
       {&trailer_.blocks_end, &trailer_.entries, &trailer_.blocks_checksum, &trailer_.directories,
        &trailer_.directories_checksum, &trailer_.more_blocks, &trailer_.more_blocks_checksum,
        &trailer_.inodes, &trailer_.fences_checksum, &trailer_.header_bytes, &trailer_.header_checksum})
    *field = in.fixed<std::uint64_t>();
  // Each below the file's size, so that no sum of them overflows.
  for (const std::uint64_t count : {trailer_.blocks_end, trailer_.entries, trailer_.directories,
                                    trailer_.more_blocks, trailer_.inodes, trailer_.header_bytes})
    if (count > file_size) return false;
  generation_ = checksum;
  return trailer_.blocks_end >= kBlocksBegin && trailer_.header_bytes <= kHeaderBytesMax &&
         trailer_at(trailer_) + kTrailerBytes == file_size;
}

std::optional<std::vector<std::uint8_t>> BaseFile::section(std::uint64_t offset, std::uint64_t count,
                                                           std::uint64_t checksum) const {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  const Result<std::size_t> got = read_at(fd_.get(), offset, bytes);
  if (!got || *got != bytes.size() || checksum64(bytes, offset) != checksum) return std::nullopt;
  return bytes;
}

bool BaseFile::load_tables() {
  const Trailer& t = trailer_;
  const auto directories =
      section(directories_at(t), t.directories * kDirectoryBytes, t.directories_checksum);
  const auto more = section(more_blocks_at(t), t.more_blocks * 8, t.more_blocks_checksum);
  const auto fences = section(fences_at(t), pages_of(t.inodes) * kFenceBytes, t.fences_checksum);
  if (!directories || !more || !fences) return false;
  directories_.reserve(t.directories);
  more_blocks_.reserve(t.more_blocks);
  fences_.reserve(pages_of(t.inodes));
  for (In in(*more); in.left() != 0;)
    more_blocks_.push_back(in.fixed<std::uint64_t>());
  for (In in(*fences); in.left() != 0;) {
    const std::uint64_t inode = in.fixed<std::uint64_t>();
    fences_.push_back({inode, in.fixed<std::uint64_t>()});
  }
  for (In in(*directories); in.left() != 0;) {
    DirectoryRef ref;
    ref.hash = in.fixed<std::uint64_t>();
    ref.offset = in.fixed<std::uint64_t>();
    ref.rows = in.fixed<std::uint32_t>();
    ref.more_blocks = in.fixed<std::uint32_t>();
    if (std::uint64_t{ref.more_blocks} + blocks_of(ref.rows) - 1 > more_blocks_.size()) return false;
    directories_.push_back(ref);
  }
  return true;
}

bool BaseFile::load_header() {
  const auto bytes = section(header_at(trailer_), trailer_.header_bytes, trailer_.header_checksum);
  if (!bytes) return false;
  In in(*bytes);
  return decode_header(in, header_) && in.left() == 0;
}

std::vector<DirectoryRef>::const_iterator BaseFile::first_of(std::uint64_t hash) const noexcept {
  return std::lower_bound(directories_.begin(), directories_.end(), hash,
                          [](const DirectoryRef& ref, std::uint64_t wanted) { return ref.hash < wanted; });
}

std::optional<std::uint32_t> BaseFile::rows_of(std::string_view location) const noexcept {
  const std::uint64_t hash = location_hash(location);
  const auto at = first_of(hash);
  if (at == directories_.end() || at->hash != hash) return std::nullopt;
  const auto next = std::next(at);
  return next != directories_.end() && next->hash == hash ? std::nullopt : std::optional(at->rows);
}

DirectoryLookup BaseFile::find_directory(std::string_view location, Access access) const {
  DirectoryLookup lookup;
  if (!usable_) {
    lookup.found = DirectoryLookup::Found::unreadable;
    return lookup;
  }
  const std::uint64_t hash = location_hash(location);
  auto at = first_of(hash);
  for (; at != directories_.end() && at->hash == hash; ++at) {
    std::optional<Block> first = block(at->offset, access);
    if (first && (first->location != location || first->number != 0))
      continue;  // another location of this hash
    lookup.ref = *at;
    lookup.first = std::move(first);
    // A damaged block does not say whose it is; that it is this one's costs at worst a read too many.
    lookup.found = lookup.first ? DirectoryLookup::Found::yes : DirectoryLookup::Found::unreadable;
    if (lookup.first) break;
  }
  return lookup;
}

std::uint64_t BaseFile::block_offset(const DirectoryRef& ref, std::uint32_t number) const noexcept {
  return number == 0 ? ref.offset : more_blocks_[std::size_t{ref.more_blocks} + number - 1];
}

std::optional<Block> BaseFile::block(std::uint64_t offset, Access access) const {
  const auto read = [&]() -> std::optional<Block> {
    const std::optional<FileBytes> frame = extents_->read(offset, kBlockFrameBytes, access);
    if (!frame) return std::nullopt;
    const std::uint64_t checksum = load_le<std::uint64_t>(frame->bytes.data());
    const std::uint32_t length = load_le<std::uint32_t>(frame->bytes.data() + 8);
    if (length > kBlockBytesMax) return std::nullopt;
    std::optional<FileBytes> whole = extents_->read(offset, kBlockFrameBytes + length, access);
    if (!whole || checksum64(whole->bytes.subspan(8), offset) != checksum) return std::nullopt;
    return parse_block(*std::move(whole));
  };
  std::optional<Block> block = read();
  if (!block) damage_->add(fmt::format("the block at byte {} of the index is damaged", offset));
  return block;
}

std::optional<FileBytes> BaseFile::bytes(std::uint64_t offset, std::size_t count) const {
  return extents_->read(offset, count, Access::in_order);
}

bool BaseFile::inode_page(std::uint64_t page, std::vector<InodeRef>& into) const {
  into.clear();
  const std::uint64_t first = page * kInodesPerPage;
  const std::uint64_t count = std::min<std::uint64_t>(kInodesPerPage, trailer_.inodes - first);
  std::array<std::uint8_t, kInodesPerPage * kInodeBytes> buffer{};
  const std::span<std::uint8_t> bytes =
      std::span(buffer).first(static_cast<std::size_t>(count * kInodeBytes));
  const std::uint64_t offset = inodes_at(trailer_) + first * kInodeBytes;
  const Result<std::size_t> got = read_at(fd_.get(), offset, bytes);
  if (!got || *got != bytes.size() || checksum64(bytes, offset) != fences_[page].checksum) {
    damage_->add(fmt::format("page {} of the inode table of the index is damaged", page));
    tables_damaged_.store(true, std::memory_order_relaxed);
    return false;
  }
  for (In in(bytes); in.left() != 0;) {
    const std::uint64_t inode = in.fixed<std::uint64_t>();
    into.push_back({inode, in.fixed<std::uint64_t>()});
  }
  return true;
}

std::uint64_t BaseFile::inode_page_of(std::uint64_t inode) const noexcept {
  // Entries of one inode may begin at the end of the page before the first fence that is not below it.
  const auto at =
      std::lower_bound(fences_.begin(), fences_.end(), inode,
                       [](const Fence& fence, std::uint64_t wanted) { return fence.inode < wanted; });
  const auto page = static_cast<std::uint64_t>(at - fences_.begin());
  return page == 0 ? 0 : page - 1;
}

std::array<std::uint8_t, kTrailerBytes> encode_trailer(const Trailer& t) {
  std::array<std::uint8_t, kTrailerBytes> bytes{};
  std::size_t at = 0;
  for (const std::uint64_t field :
       {kTrailerMagic, t.blocks_end, t.entries, t.blocks_checksum, t.directories, t.directories_checksum,
        t.more_blocks, t.more_blocks_checksum, t.inodes, t.fences_checksum, t.header_bytes, t.header_checksum,
        std::uint64_t{0}, std::uint64_t{0}}) {
    store_le(bytes.data() + at, field);
    at += 8;
  }
  store_le(bytes.data() + at, checksum64(ByteSpan(bytes).first(at), kTrailerMagic));
  return bytes;
}

}  // namespace ssync::index
