#pragma once

// Sizes of a data message's head before it is encoded and after it was decoded. proto-spec/04 §2.

#include <cstddef>

#include "ssync/wire/data.h"

namespace ssync::transfer {

inline constexpr std::size_t kDataHeaderBytes = 32;

[[nodiscard]] inline std::size_t largest_segment_bytes() noexcept {
  return wire::table_bytes({.last = true});
}

[[nodiscard]] inline std::size_t head_bytes(const wire::DataHead& head) noexcept {
  std::size_t bytes = kDataHeaderBytes;
  for (const wire::Segment& segment : head.segments)
    bytes += wire::table_bytes(segment);
  return bytes;
}

}  // namespace ssync::transfer
