#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <stop_token>

namespace ssync {

/// For deadlines and durations: never goes back, does not count from any date.
using SteadyTime = std::chrono::steady_clock::time_point;

/// Time since 1970-01-01 00:00:00 UTC, as struct timespec has it. Order: chronological.
struct WallTime {
  std::int64_t s = 0;
  std::int32_t ns = 0;  ///< 0 .. 999'999'999, also before 1970

  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

/// Where time comes from, as a parameter so that tests can supply it. Thread safety: any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  [[nodiscard]] virtual SteadyTime now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Blocks until `deadline` or until `stop` is requested, whichever is first. True: the deadline was
  /// reached. A default-constructed stop_token never stops.
  virtual bool sleep_until(SteadyTime deadline, std::stop_token stop) = 0;

 protected:
  Clock() = default;
  Clock(const Clock&) = default;
  Clock& operator=(const Clock&) = default;
};

/// CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime now() const override;
  [[nodiscard]] WallTime wall() const override;
  bool sleep_until(SteadyTime deadline, std::stop_token stop) override;
};

}  // namespace ssync
