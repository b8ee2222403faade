#include "ssync/model/entry.h"

#include <limits>

namespace ssync {
namespace {

constexpr std::uint32_t kNsPerSecond = 1'000'000'000;

// The time's distance above the next lower multiple of `granularity`, counted from the epoch. Granularities
// above a second (2 s on vfat) concern the seconds too, so both are reduced together; the products stay below
// 2^63.
std::uint64_t excess_ns(FileTime time, std::uint64_t granularity) noexcept {
  const auto modulus = static_cast<std::int64_t>(granularity);
  std::int64_t seconds = time.s % modulus;
  if (seconds < 0) seconds += modulus;
  return (static_cast<std::uint64_t>(seconds) * (kNsPerSecond % granularity) + time.ns) % granularity;
}

FileTime round_down(FileTime time, std::uint32_t granularity) noexcept {
  if (granularity <= 1) return time;
  const std::uint64_t excess = excess_ns(time, granularity);
  auto seconds = static_cast<std::int64_t>(excess / kNsPerSecond);
  auto ns = static_cast<std::uint32_t>(excess % kNsPerSecond);
  if (ns > time.ns) {
    ++seconds;
    time.ns += kNsPerSecond;
  }
  if (time.s < std::numeric_limits<std::int64_t>::min() + seconds) {
    return {std::numeric_limits<std::int64_t>::min(), 0};  // no multiple below it can be expressed
  }
  return {time.s - seconds, time.ns - ns};
}

}  // namespace

FileTime clamp(FileTime time, const Attributes& attributes) noexcept {
  if (time.s <= attributes.mtime_least_s) return {attributes.mtime_least_s, 0};
  if (time.s >= attributes.mtime_greatest_s) return {attributes.mtime_greatest_s, 0};
  return time;
}

Values project(const Values& values, const Attributes& attributes) noexcept {
  Values held;
  held.kind = values.kind;
  if (values.kind == Kind::unreadable) return held;
  if (values.kind == Kind::file || values.kind == Kind::special) held.size = values.size;
  if (values.kind == Kind::special) return held;
  if (values.kind != Kind::symlink) held.mode = values.mode & attributes.mode_mask;
  if (values.kind != Kind::symlink || attributes.symlink_mtime) {
    held.mtime = round_down(clamp(values.mtime, attributes), attributes.mtime_granularity_ns);
  }
  if (attributes.owner) held.owner = values.owner;
  return held;
}

}  // namespace ssync
