// Reads of the base's block region through a few large buffers, so that directories read in row order cost
// one pread in 256 KiB. pread and not mmap: a file that another process truncates would otherwise end this
// one with SIGBUS.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "ssync/base/buffer.h"
#include "ssync/base/mutex.h"

#include "bytes.h"

namespace ssync::index {

/// Whether the bytes behind the asked ones will probably be wanted next.
enum class Access : std::uint8_t { in_order, random };

/// Bytes of the file, and what keeps them in memory.
struct FileBytes {
  std::shared_ptr<const void> keep;
  ByteSpan bytes;
};

/// Thread safety: any thread. Memory: kPooled buffers of kExtentBytes, and what callers hold beyond that.
class Extents {
 public:
  /// Borrows `fd`. `end`: nothing is read from there on.
  Extents(int fd, std::uint64_t end) : fd_(fd), end_(end) {}
  /// The bytes [offset, offset + count). nullopt: not all are there, or the disk failed. `count` is the
  /// caller's to bound.
  [[nodiscard]] std::optional<FileBytes> read(std::uint64_t offset, std::size_t count, Access access) const
      SSYNC_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kExtentBytes = 256 * 1024;
  static constexpr std::size_t kRandomBytes = 16 * 1024;
  static constexpr std::size_t kKept = 4;
  /// Reused: a new one for every 256 KiB costs a page fault for each page of it.
  static constexpr std::size_t kPooled = kKept + 2;

  struct Extent {
    std::uint64_t begin = 0;
    std::size_t size = 0;
    Buffer buffer;
    [[nodiscard]] const std::uint8_t* bytes() const noexcept {
      return reinterpret_cast<const std::uint8_t*>(buffer.bytes().data());
    }
    [[nodiscard]] bool holds(std::uint64_t offset, std::size_t count) const noexcept {
      return offset >= begin && offset - begin <= size && count <= size - (offset - begin);
    }
  };
  [[nodiscard]] std::shared_ptr<const Extent> load(std::uint64_t offset, std::size_t count,
                                                   Access access) const;

  const int fd_;
  const std::uint64_t end_;
  mutable BufferPool pool_{kExtentBytes, kPooled};

  mutable Mutex mutex_;
  mutable std::array<std::shared_ptr<const Extent>, kKept> kept_ SSYNC_GUARDED_BY(mutex_);
  mutable std::size_t next_ SSYNC_GUARDED_BY(mutex_) = 0;
};

}  // namespace ssync::index
