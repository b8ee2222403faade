#pragma once

#include <chrono>

namespace ssync {

/// For deadlines and durations: never goes back, does not count from any date.
using SteadyTime = std::chrono::steady_clock::time_point;

}  // namespace ssync
