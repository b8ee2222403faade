#include "ssync/base/clock.h"

#include <condition_variable>
#include <ctime>
#include <mutex>

namespace ssync {

SteadyTime SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::wall() const {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return WallTime{now.tv_sec, static_cast<std::int32_t>(now.tv_nsec)};
}

bool SystemClock::sleep_until(SteadyTime deadline, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  // The predicate stays false: only the deadline or the stop request ends the wait.
  wake.wait_until(lock, stop, deadline, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace ssync
