// Where things are in a base file. README.md describes it; here are the numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <xxhash.h>

#include "bytes.h"

namespace ssync::index {

inline constexpr std::uint8_t kVersion = 2;
inline constexpr std::array<std::uint8_t, 16> kPrologue = {'s',      's', 'y', 'n', 'c', 'i', 'd', 'x',
                                                           kVersion, 0,   0,   0,   0,   0,   0,   0};
inline constexpr std::uint64_t kBlocksBegin = kPrologue.size();

inline constexpr std::size_t kBlockRowsMax = 256;
inline constexpr std::size_t kBlockFrameBytes = 12;        // checksum u64, length of the payload u32
inline constexpr std::size_t kBlockBytesMax = 256 * 1024;  // of a payload: location, 256 names, 256 records
inline constexpr std::size_t kInodesPerPage = 256;
inline constexpr std::size_t kInodeBytes = 16;
inline constexpr std::size_t kDirectoryBytes = 24;
inline constexpr std::size_t kFenceBytes = 16;
inline constexpr std::size_t kTrailerBytes = 15 * 8;

/// One directory of the table that is kept in memory. Sorted by hash; two locations may share one.
struct DirectoryRef {
  std::uint64_t hash = 0;
  std::uint64_t offset = 0;  ///< of its first block
  std::uint32_t rows = 0;
  std::uint32_t more_blocks =
      0;  ///< where in the block table the offsets of its further blocks are, if it has any
};
static_assert(sizeof(DirectoryRef) == kDirectoryBytes);

/// How many blocks a directory of so many rows has: an empty one has one.
constexpr std::uint32_t blocks_of(std::uint32_t rows) noexcept {
  return rows == 0 ? 1
                   : static_cast<std::uint32_t>((std::uint64_t{rows} + kBlockRowsMax - 1) / kBlockRowsMax);
}

/// One file of the inode table. Sorted by inode, then by offset. The place is the block's offset (48 bits)
/// and 16 bits of the device's hash, which spare reading a block for another device's inode of the same
/// number.
struct InodeRef {
  std::uint64_t inode = 0;
  std::uint64_t block_and_device = 0;
  friend auto operator<=>(const InodeRef&, const InodeRef&) = default;
};
inline constexpr std::uint64_t kOffsetMax = (std::uint64_t{1} << 48) - 1;

/// The first inode of a page of the inode table, and the page's checksum.
struct Fence {
  std::uint64_t inode = 0;
  std::uint64_t checksum = 0;
};

/// The last bytes of a base: the lengths of all sections, from which their offsets follow.
struct Trailer {
  std::uint64_t blocks_end = 0;
  std::uint64_t entries = 0;
  std::uint64_t blocks_checksum =
      0;  ///< over the blocks' checksums; makes the generation depend on all content
  std::uint64_t directories = 0, directories_checksum = 0;
  std::uint64_t more_blocks = 0, more_blocks_checksum = 0;
  std::uint64_t inodes = 0;
  std::uint64_t fences_checksum = 0;
  std::uint64_t header_bytes = 0, header_checksum = 0;
};

inline std::uint64_t checksum64(ByteSpan bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
inline std::uint64_t location_hash(std::string_view location) noexcept {
  return XXH3_64bits(location.data(), location.size());
}
/// The hash of a path, given that of its location.
inline std::uint64_t path_hash(std::uint64_t location_hash, std::string_view name) noexcept {
  return XXH3_64bits_withSeed(name.data(), name.size(), location_hash);
}
inline std::uint64_t device_tag(std::uint64_t device) noexcept {
  return (device * 0x9e3779b97f4a7c15u) & (std::uint64_t{0xffff} << 48);
}
inline std::uint64_t chain_checksum(std::uint64_t chain, std::uint64_t next) noexcept {
  std::array<std::uint8_t, 8> bytes{};
  store_le(bytes.data(), next);
  return checksum64(bytes, chain);
}

inline constexpr std::uint64_t kTrailerMagic = 0x646e655f636e7973;  // "sync_end"

}  // namespace ssync::index
