#include "base_writer.h"

#include <algorithm>
#include <cstring>

#include "cursor.h"

namespace ssync::index {

namespace {

constexpr std::size_t kOutputBytes = 256 * 1024;
// Name with its two lengths, and fields.
constexpr std::size_t kRowBytesMax = kNameBytesMax + 4 + kFieldBytesMax;

std::size_t shared_prefix(std::string_view a, std::string_view b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t count = 0;
  while (count < most && a[count] == b[count])
    ++count;
  return count;
}

}  // namespace

BaseWriter::BaseWriter(const StateFiles& files, std::shared_ptr<const BaseFile> old)
    : files_(files),
      old_(std::move(old)),
      comparing_(old_ && old_->usable() && !old_->tables_damaged()),
      inodes_(files) {}

BaseWriter::~BaseWriter() {
  // Not published: the file must not stay. Nothing can be done about a failure, and the next writer removes
  // it.
  if (fd_) static_cast<void>(files_.remove(StateFiles::temporary_name(files_.base_name())));
}

Result<void> BaseWriter::begin_directory(std::string_view location) {
  if (directory_.begun && compare_locations(directory_.location, location) >= 0)
    return fail(Errc::invalid_argument, "index: directories out of order: " + printable(split(location)));
  if (location.size() > kPathBytesMax)
    return fail(Errc::invalid_argument, "index: a location that is too long");
  SSYNC_TRY_VOID(end_directory());
  directory_.begun = true;
  directory_.location.assign(location);
  directory_.hash = location_hash(location);
  directory_.rows = directory_.blocks = 0;
  directory_.more.clear();
  begin_block();
  return {};
}

void BaseWriter::begin_block() {
  records_.clear();
  state_ = FieldState{};
  block_rows_ = 0;
  block_inodes_.clear();
}

Result<void> BaseWriter::add(std::string_view name, const Record& record) {
  const std::string_view before(name_.data(), name_size_);
  const bool root_row = name.empty() && directory_.location.empty();
  if (!directory_.begun || (name.empty() && !root_row) || name.size() > kNameBytesMax ||
      !check_record(record) || (directory_.rows + block_rows_ != 0 && name <= before))
    return fail(Errc::invalid_argument,
                "index: row out of order or invalid: " + printable({directory_.location, name}));
  if (block_rows_ == kBlockRowsMax) {
    SSYNC_TRY_VOID(end_block());
    begin_block();
  }
  const std::size_t shared = block_rows_ == 0 ? 0 : shared_prefix(before, name);
  records_.ensure(kRowBytesMax);
  records_.varint(shared);
  records_.text(name.substr(shared));
  encode_fields(records_, record, state_);
  if (!name.empty()) std::memcpy(name_.data(), name.data(), name.size());
  name_size_ = name.size();
  ++block_rows_;
  if (record.held.values.kind == Kind::file)
    block_inodes_.push_back({record.held.inode, device_tag(record.held.device)});
  return {};
}

Result<void> BaseWriter::end_block() {
  block_.clear();
  block_.ensure(kBlockFrameBytes + directory_.location.size() + 30 + records_.size());
  block_.fixed(std::uint64_t{0});
  block_.fixed(std::uint32_t{0});
  block_.text(directory_.location);
  block_.varint(directory_.blocks);
  block_.varint(block_rows_);
  block_.raw(records_.view().data(), records_.size());
  store_le(block_.at(8), static_cast<std::uint32_t>(block_.size() - kBlockFrameBytes));
  const std::uint64_t checksum = checksum64(block_.view().subspan(8), offset_);
  store_le(block_.at(0), checksum);

  if (comparing_ && !equals_old(block_.view())) SSYNC_TRY_VOID(start_file());
  if (!comparing_) {
    if (!fd_) SSYNC_TRY_VOID(start_file());
    SSYNC_TRY_VOID(emit(block_.view()));
    for (const PendingInode& file : block_inodes_)
      SSYNC_TRY_VOID(inodes_.add({file.inode, file.tag | offset_}));
  }
  count_block(checksum, block_.size(), block_rows_);
  return {};
}

/// The block at offset_ belongs to the directory.
void BaseWriter::count_block(std::uint64_t checksum, std::size_t bytes, std::uint32_t rows) {
  if (directory_.blocks == 0) {
    directory_.first_offset = offset_;
  } else {
    directory_.more.push_back(offset_);
  }
  ++directory_.blocks;
  directory_.rows += rows;
  entries_ += rows;
  blocks_checksum_ = chain_checksum(blocks_checksum_, checksum);
  offset_ += bytes;
}

// As long as everything before it was the same, the directory's blocks lie in the old file where they would
// go in the new one, and are passed over.
Result<void> BaseWriter::keep_directory(std::string_view location) {
  SSYNC_TRY_VOID(begin_directory(location));
  const auto not_kept = [&] {
    return fail(Errc::corrupt, "index: the old base cannot give " + printable(split(location)) + " any more");
  };
  if (!old_) return not_kept();
  DirectoryLookup old = old_->find_directory(location, Access::in_order);
  std::optional<Block> block = std::move(old.first);
  const bool in_place = comparing_ && old.ref.offset == offset_;
  for (std::uint32_t number = 0; number < blocks_of(old.ref.rows); ++number) {
    const std::uint64_t offset = old_->block_offset(old.ref, number);
    if (number > 0) block = old_->block(offset, Access::in_order);
    if (!block || block->location != location || block->number != number) return not_kept();
    if (!in_place) {
      SSYNC_TRY_VOID(add_block(*block));
    } else if (offset == offset_) {
      const ByteSpan bytes = block->file.bytes;
      count_block(load_le<std::uint64_t>(bytes.data()), bytes.size(), block->rows);
    } else {
      return not_kept();
    }
  }
  return {};
}

Result<void> BaseWriter::add_block(const Block& block) {
  BlockReader reader(block);
  Record record;
  for (;;) {
    const BlockReader::Step step = reader.next_name(record);
    if (step == BlockReader::Step::end) return {};
    if (step == BlockReader::Step::damaged || !reader.fields(record))
      return fail(Errc::corrupt, "index: a damaged block of " + printable(split(block.location)));
    SSYNC_TRY_VOID(add(reader.name(), record));
  }
}

Result<void> BaseWriter::end_directory() {
  if (!directory_.begun) return {};
  if (block_rows_ != 0 || directory_.blocks == 0) SSYNC_TRY_VOID(end_block());
  block_rows_ = 0;
  if (comparing_) return {};
  DirectoryRef ref{.hash = directory_.hash, .offset = directory_.first_offset, .rows = directory_.rows};
  if (!directory_.more.empty()) {
    ref.more_blocks = static_cast<std::uint32_t>(more_blocks_.size());
    more_blocks_.insert(more_blocks_.end(), directory_.more.begin(), directory_.more.end());
  }
  directories_.push_back(ref);
  return {};
}

bool BaseWriter::equals_old(ByteSpan block) {
  if (block.size() > old_->trailer().blocks_end - offset_) return false;
  const std::optional<FileBytes> old = old_->bytes(offset_, block.size());
  return old && std::memcmp(old->bytes.data(), block.data(), block.size()) == 0;
}

Result<void> BaseWriter::start_file() {
  SSYNC_TRY(fd_, files_.create_temporary(files_.base_name()));
  const bool has_prefix = comparing_;
  comparing_ = false;
  if (!has_prefix) return emit(kPrologue);
  SSYNC_TRY_VOID(take_over_tables());
  return copy_prefix();
}

// What was compared equal lies at the same offsets in both files, so the old tables' entries for it hold.
Result<void> BaseWriter::take_over_tables() {
  const std::uint64_t directories_end = directory_.blocks == 0 ? offset_ : directory_.first_offset;
  for (DirectoryRef ref : old_->directories()) {
    if (ref.offset >= directories_end) continue;
    const std::uint32_t more = blocks_of(ref.rows) - 1;
    const auto from = old_->more_blocks().begin() + ref.more_blocks;
    if (more != 0) {
      ref.more_blocks = static_cast<std::uint32_t>(more_blocks_.size());
      more_blocks_.insert(more_blocks_.end(), from, from + more);
    }
    directories_.push_back(ref);
  }
  std::vector<InodeRef> page;
  for (std::uint64_t i = 0; i < old_->inode_pages(); ++i) {
    // A damaged page loses its inodes as evidence for renames; the damage is noted, and the next base has
    // them all again.
    if (!old_->inode_page(i, page)) continue;
    for (const InodeRef& ref : page)
      if ((ref.block_and_device & kOffsetMax) < offset_) SSYNC_TRY_VOID(inodes_.add(ref));
  }
  return {};
}

Result<void> BaseWriter::copy_prefix() {
  std::vector<std::uint8_t> buffer(kOutputBytes);
  for (std::uint64_t at = 0; at < offset_;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), offset_ - at));
    SSYNC_TRY(const std::size_t got, read_at(old_->fd(), at, std::span(buffer).first(count)));
    if (got != count) return fail(Errc::corrupt, files_.path_of(files_.base_name()) + " has become shorter");
    SSYNC_TRY_VOID(emit(ByteSpan(buffer).first(count)));
    at += count;
  }
  return {};
}

Result<void> BaseWriter::emit(ByteSpan bytes) {
  if (out_.size() + bytes.size() > kOutputBytes) SSYNC_TRY_VOID(flush());
  if (bytes.size() > kOutputBytes) return write(bytes);
  out_.append(bytes);
  return {};
}

Result<void> BaseWriter::flush() {
  Result<void> written = write(out_.view());
  out_.clear();
  return written;
}

Result<void> BaseWriter::write(ByteSpan bytes) {
  Result<void> written = write_all(fd_.get(), bytes);
  if (!written)
    return fail(context(std::move(written).error(), "writing " + files_.path_of(files_.base_name())));
  return {};
}

Result<bool> BaseWriter::finish_rows() {
  SSYNC_TRY_VOID(end_directory());
  directory_.begun = false;
  if (comparing_ && offset_ == old_->trailer().blocks_end) return true;
  directory_.blocks = 0;  // no directory straddles the end
  if (!fd_) SSYNC_TRY_VOID(start_file());
  return false;
}

Result<UniqueFd> BaseWriter::finish(const Header& header) {
  Trailer trailer;
  trailer.blocks_end = offset_;
  trailer.entries = entries_;
  trailer.blocks_checksum = blocks_checksum_;
  SSYNC_TRY_VOID(emit_directories(trailer));
  SSYNC_TRY_VOID(emit_inodes(trailer));
  SSYNC_TRY_VOID(emit_header(trailer, header));
  SSYNC_TRY_VOID(emit(encode_trailer(trailer)));
  SSYNC_TRY_VOID(flush());
  SSYNC_TRY_VOID(sync_file(fd_.get()));
  SSYNC_TRY_VOID(files_.replace(files_.base_name()));
  UniqueFd done = std::move(fd_);
  SSYNC_TRY_VOID(files_.sync_directory());
  return done;
}

Result<void> BaseWriter::emit_directories(Trailer& trailer) {
  std::sort(directories_.begin(), directories_.end(), [](const DirectoryRef& a, const DirectoryRef& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.offset < b.offset;
  });
  Out bytes;
  bytes.ensure(directories_.size() * kDirectoryBytes);
  for (const DirectoryRef& ref : directories_) {
    bytes.fixed(ref.hash);
    bytes.fixed(ref.offset);
    bytes.fixed(ref.rows);
    bytes.fixed(ref.more_blocks);
  }
  trailer.directories = directories_.size();
  trailer.directories_checksum = checksum64(bytes.view(), directories_at(trailer));
  SSYNC_TRY_VOID(emit(bytes.view()));
  bytes.clear();
  bytes.ensure(more_blocks_.size() * 8);
  for (const std::uint64_t offset : more_blocks_)
    bytes.fixed(offset);
  trailer.more_blocks = more_blocks_.size();
  trailer.more_blocks_checksum = checksum64(bytes.view(), more_blocks_at(trailer));
  return emit(bytes.view());
}

Result<void> BaseWriter::emit_inodes(Trailer& trailer) {
  trailer.inodes = inodes_.size();
  Out page;
  page.ensure(kInodesPerPage * kInodeBytes);
  Out fences;
  fences.ensure(pages_of(trailer.inodes) * kFenceBytes);
  std::uint64_t pages = 0;
  const auto emit_page = [&]() -> Result<void> {
    if (page.size() == 0) return {};
    fences.fixed(checksum64(page.view(), inodes_at(trailer) + pages * kInodesPerPage * kInodeBytes));
    SSYNC_TRY_VOID(emit(page.view()));
    page.clear();
    ++pages;
    return {};
  };
  SSYNC_TRY_VOID(inodes_.take([&](const InodeRef& ref) -> Result<void> {
    if (page.size() == 0) fences.fixed(ref.inode);
    page.fixed(ref.inode);
    page.fixed(ref.block_and_device);
    return page.size() == kInodesPerPage * kInodeBytes ? emit_page() : Result<void>();
  }));
  SSYNC_TRY_VOID(emit_page());
  trailer.fences_checksum = checksum64(fences.view(), fences_at(trailer));
  return emit(fences.view());
}

Result<void> BaseWriter::emit_header(Trailer& trailer, const Header& header) {
  Out bytes;
  SSYNC_TRY_VOID(encode_header(bytes, header));
  trailer.header_bytes = bytes.size();
  trailer.header_checksum = checksum64(bytes.view(), header_at(trailer));
  return emit(bytes.view());
}

}  // namespace ssync::index
