#include "ssync/base/memory.h"

#include <malloc.h>

#include <limits>

#include "ssync/base/assert.h"

namespace ssync {

void keep_freed_memory(std::size_t block_bytes, std::size_t keep_bytes) noexcept {
  constexpr std::size_t kBesides =
      4096;  // malloc's own part of a block, and what a caller puts before its content
  constexpr std::size_t kMax = std::numeric_limits<int>::max() - kBesides;
  SSYNC_ASSERT(block_bytes <= kMax && keep_bytes <= kMax);
#ifdef __GLIBC__
  // Either also ends glibc's own adjusting of both, which lets the threshold grow with every block that is
  // freed and keeps twice that: less than what a pipeline has in flight.
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, static_cast<int>(block_bytes + kBesides)));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, static_cast<int>(keep_bytes)));
#endif
}

void share_heaps() noexcept {
#ifdef __GLIBC__
  constexpr int kHeaps = 3;
  static_cast<void>(::mallopt(M_ARENA_MAX, kHeaps));
#endif
}

}  // namespace ssync
