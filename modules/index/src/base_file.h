// One base, open for reading. Whatever its bytes are: a checksum that does not match makes the thing it
// covers unreadable.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "ssync/base/unique_fd.h"
#include "ssync/index/index.h"

#include "damage.h"
#include "extents.h"
#include "format.h"

namespace ssync::index {

/// A block whose checksum was right.
struct Block {
  FileBytes file;  ///< frame and payload
  ByteSpan payload;
  std::string_view location;
  std::uint32_t number = 0;  ///< 0 is a directory's first
  std::uint32_t rows = 0;
  ByteSpan records;
};

/// A directory that the table has, as far as that can be told.
struct DirectoryLookup {
  enum class Found : std::uint8_t { yes, no, unreadable };
  Found found = Found::no;
  DirectoryRef ref;
  std::optional<Block> first;
};

/// Immutable. Thread safety: any thread.
/// Memory: 24 bytes a directory, 8 for each further 256 rows of one, 16 for each 256 files, and the extents.
class BaseFile {
 public:
  /// Never fails: a file that makes no sense gives usable() == false, and a sentence in `damage`. No
  /// descriptor: not usable.
  [[nodiscard]] static std::shared_ptr<const BaseFile> open(UniqueFd fd, std::shared_ptr<Damage> damage);

  /// False: its tables cannot be read, so everything in it is unknown.
  [[nodiscard]] bool usable() const noexcept { return usable_; }
  [[nodiscard]] const Header& header() const noexcept { return header_; }
  [[nodiscard]] const Trailer& trailer() const noexcept { return trailer_; }
  /// Two bases have the same one only when their content is equal. 0: not usable.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// Something of the tables was damaged, so the next base cannot take over parts of this one.
  [[nodiscard]] bool tables_damaged() const noexcept {
    return tables_damaged_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  [[nodiscard]] DirectoryLookup find_directory(std::string_view location, Access access) const;
  /// How many rows a directory has, found by the hash of its location alone. nullopt: no directory has that
  /// hash, or several have.
  [[nodiscard]] std::optional<std::uint32_t> rows_of(std::string_view location) const noexcept;
  /// Where a directory's block starts. Requires: number < blocks_of(ref.rows).
  [[nodiscard]] std::uint64_t block_offset(const DirectoryRef& ref, std::uint32_t number) const noexcept;
  /// nullopt, and a sentence in the damage, when it is not readable.
  [[nodiscard]] std::optional<Block> block(std::uint64_t offset, Access access) const;
  /// Raw bytes of the block region, for comparing.
  [[nodiscard]] std::optional<FileBytes> bytes(std::uint64_t offset, std::size_t count) const;

  /// Sorted by hash.
  [[nodiscard]] const std::vector<DirectoryRef>& directories() const noexcept { return directories_; }
  /// The offsets of the blocks of large directories; see DirectoryRef::more_blocks.
  [[nodiscard]] const std::vector<std::uint64_t>& more_blocks() const noexcept { return more_blocks_; }
  [[nodiscard]] std::uint64_t inode_pages() const noexcept { return fences_.size(); }
  /// One page of the inode table into `into`. False, and tables_damaged(), when it is not readable.
  [[nodiscard]] bool inode_page(std::uint64_t page, std::vector<InodeRef>& into) const;
  /// The first page that may have this inode.
  [[nodiscard]] std::uint64_t inode_page_of(std::uint64_t inode) const noexcept;

 private:
  BaseFile(UniqueFd fd, std::shared_ptr<Damage> damage) : fd_(std::move(fd)), damage_(std::move(damage)) {}
  [[nodiscard]] std::vector<DirectoryRef>::const_iterator first_of(std::uint64_t hash) const noexcept;
  [[nodiscard]] bool load();
  [[nodiscard]] bool load_trailer(std::uint64_t file_size);
  [[nodiscard]] bool load_tables();
  [[nodiscard]] bool load_header();
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> section(std::uint64_t offset, std::uint64_t count,
                                                                 std::uint64_t checksum) const;

  // Fixed after open().
  UniqueFd fd_;
  std::shared_ptr<Damage> damage_;
  bool usable_ = false;
  std::uint64_t generation_ = 0;
  Trailer trailer_;
  Header header_;
  std::vector<DirectoryRef> directories_;
  std::vector<std::uint64_t> more_blocks_;
  std::vector<Fence> fences_;
  std::optional<Extents> extents_;

  mutable std::atomic<bool> tables_damaged_{false};
};

/// The trailer's bytes, its own checksum included; what BaseFile checks.
[[nodiscard]] std::array<std::uint8_t, kTrailerBytes> encode_trailer(const Trailer& trailer);

/// Offsets of the sections behind the blocks.
constexpr std::uint64_t directories_at(const Trailer& t) noexcept {
  return t.blocks_end;
}
constexpr std::uint64_t more_blocks_at(const Trailer& t) noexcept {
  return directories_at(t) + t.directories * kDirectoryBytes;
}
constexpr std::uint64_t inodes_at(const Trailer& t) noexcept {
  return more_blocks_at(t) + t.more_blocks * 8;
}
constexpr std::uint64_t pages_of(std::uint64_t inodes) noexcept {
  return (inodes + kInodesPerPage - 1) / kInodesPerPage;
}
constexpr std::uint64_t fences_at(const Trailer& t) noexcept {
  return inodes_at(t) + t.inodes * kInodeBytes;
}
constexpr std::uint64_t header_at(const Trailer& t) noexcept {
  return fences_at(t) + pages_of(t.inodes) * kFenceBytes;
}
constexpr std::uint64_t trailer_at(const Trailer& t) noexcept {
  return header_at(t) + t.header_bytes;
}

}  // namespace ssync::index
