// Sums of sizes. One sparse file may be 2^63 - 1 bytes long, so a tree of two has more than can be said on
// the wire.
#pragma once

#include <cstdint>
#include <limits>

namespace ssync {

/// The greatest number of entries or bytes that is counted; more stays at it. proto-spec/03 §1: numbers are
/// below 2^63.
inline constexpr std::uint64_t kTotalMax = std::numeric_limits<std::int64_t>::max();

inline void add_to(std::uint64_t& total, std::uint64_t size) noexcept {
  total = size > kTotalMax - total ? kTotalMax : total + size;
}

}  // namespace ssync
