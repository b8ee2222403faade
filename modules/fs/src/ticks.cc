// How far apart two changes must be for the second to move ctime. Kernels stamp with the tick of CONFIG_HZ
// (at most 10 ms at 100 Hz, twice that for safety); since 6.13 some stamp finer, which this bound covers too.
// Whole-second stamps say that the file system keeps no fraction (one stamp in 10^9 says so by chance, and is
// then only trusted later).
#include <cstdint>

#include "ssync/fs/tree.h"

namespace ssync::fs {

namespace {
constexpr std::int64_t kNsPerS = 1'000'000'000;
}  // namespace

std::uint64_t tick_ns(const FileTime& stamp) noexcept {
  return stamp.ns == 0 ? 2 * kNsPerS : 20'000'000;
}

bool is_racy(const FileTime& stamp, const FileTime& now) noexcept {
  if (stamp >= now) return true;
  // now > stamp, so the difference fits unsigned whatever the signs.
  const std::uint64_t seconds = static_cast<std::uint64_t>(now.s) - static_cast<std::uint64_t>(stamp.s);
  if (seconds > 4) return false;
  const std::int64_t ns = static_cast<std::int64_t>(seconds) * kNsPerS + now.ns - stamp.ns;
  return static_cast<std::uint64_t>(ns) < tick_ns(stamp);
}

}  // namespace ssync::fs
