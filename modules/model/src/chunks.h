// Storage that grows without moving what it holds: pieces of fixed size, one allocation each, none while
// empty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "ssync/base/assert.h"

namespace ssync::model {

/// An array in chunks of 2^kShift elements. Thread safety: one thread at a time; readers may be many.
template <typename T, unsigned kShift>
class ChunkedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t at) noexcept { return chunks_[at >> kShift][at & kMask]; }
  [[nodiscard]] const T& operator[](std::size_t at) const noexcept {
    return chunks_[at >> kShift][at & kMask];
  }
  void push_back(const T& value) {
    if (size_ >> kShift == chunks_.size()) chunks_.push_back(std::make_unique_for_overwrite<T[]>(kMask + 1));
    chunks_[size_ >> kShift][size_ & kMask] = value;
    ++size_;
  }
  /// The first position in [first, last) for which `before` is false. Requires: the range is partitioned by
  /// it.
  template <typename Before>
  [[nodiscard]] std::size_t partition_point(std::size_t first, std::size_t last, Before before) const {
    while (first < last) {
      const std::size_t middle = first + (last - first) / 2;
      if (before((*this)[middle])) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return first;
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return chunks_.size() * (kMask + 1) * sizeof(T) + chunks_.capacity() * sizeof(chunks_[0]);
  }

 private:
  static constexpr std::size_t kMask = (std::size_t{1} << kShift) - 1;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

/// Byte strings under 32-bit positions: chunks of 1 MiB (the first of 128 KiB, as most trees are small), of
/// which no string spans two. What does not fit into a chunk's rest leaves that rest unused.
class Arena {
 public:
  /// A string longer than this is refused by an assertion: the longest target, its length and a name fit.
  static constexpr std::size_t kStringBytesMax = std::size_t{1} << 17U;

  /// Room for `bytes` that the caller fills; nullopt when the positions are used up.
  struct Room {
    std::uint32_t position = 0;
    char* at = nullptr;
  };
  [[nodiscard]] std::optional<Room> allocate(std::size_t bytes) {
    SSYNC_ASSERT(bytes <= kStringBytesMax);
    // An empty string needs a position too, and the end of a full chunk is none.
    const std::size_t needed = std::max<std::size_t>(bytes, 1);
    if (chunks_.empty() || used_ + needed > chunk_bytes(chunks_.size() - 1)) {
      if (chunks_.size() == kChunksMax) return std::nullopt;
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes(chunks_.size())));
      used_ = 0;
    }
    const std::size_t chunk = chunks_.size() - 1;
    const Room room{static_cast<std::uint32_t>((chunk << kShift) | used_), chunks_[chunk].get() + used_};
    used_ += bytes;
    return room;
  }
  [[nodiscard]] const char* at(std::uint32_t position) const noexcept {
    return chunks_[position >> kShift].get() + (position & kMask);
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    std::size_t bytes = chunks_.capacity() * sizeof(chunks_[0]);
    for (std::size_t i = 0; i < chunks_.size(); ++i)
      bytes += chunk_bytes(i);
    return bytes;
  }

 private:
  static constexpr unsigned kShift = 20;
  static constexpr std::uint32_t kMask = (std::uint32_t{1} << kShift) - 1;
  static constexpr std::size_t kChunksMax = std::size_t{1} << (32 - kShift);
  static constexpr std::size_t chunk_bytes(std::size_t chunk) noexcept {
    return chunk == 0 ? kStringBytesMax : std::size_t{1} << kShift;
  }
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_ = 0;  // of the last chunk
};

}  // namespace ssync::model
