// The number from which the delete guards look.
#pragma once

#include <cstdint>

namespace ssync::planner {

/// Fewer deletes than this are never held up: a small tree may lose half of its entries on any day.
inline constexpr std::uint64_t kGuardFrom = 100;

}  // namespace ssync::planner
