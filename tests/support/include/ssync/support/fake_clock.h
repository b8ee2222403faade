#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <vector>

#include "ssync/base/clock.h"

namespace ssync {

/// A clock that moves when told to. Thread safety: any thread. Starts at steady time 0 + 1 h (so that "an
/// hour ago" is representable) and wall time 1'000'000'000 s.
class FakeClock final : public Clock {
 public:
  enum class OnSleep : std::uint8_t {
    advance,  ///< sleep_until moves the clock to the deadline and returns: for one thread
    wait,     ///< sleep_until blocks until another thread advances the clock far enough, or stop is requested
  };

  explicit FakeClock(OnSleep on_sleep = OnSleep::advance) : on_sleep_(on_sleep) {}

  [[nodiscard]] SteadyTime now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  [[nodiscard]] WallTime wall() const override {
    const std::lock_guard lock(mutex_);
    return wall_;
  }
  bool sleep_until(SteadyTime deadline, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    if (stop.stop_requested()) return false;
    sleeps_.push_back(deadline);
    moved_.notify_all();
    if (on_sleep_ == OnSleep::advance) {
      if (deadline > now_) move(deadline - now_);
      return true;
    }
    return moved_.wait(lock, stop, [&] { return now_ >= deadline; });
  }

  /// Moves steady and wall time forward and wakes sleepers whose deadline has come.
  void advance(std::chrono::nanoseconds by) {
    const std::lock_guard lock(mutex_);
    move(by);
  }
  /// Sets wall time alone, as an administrator would; may go back.
  void set_wall(WallTime wall) {
    const std::lock_guard lock(mutex_);
    wall_ = wall;
  }

  /// Deadlines of all sleeps so far, in order.
  [[nodiscard]] std::vector<SteadyTime> sleeps() const {
    const std::lock_guard lock(mutex_);
    return sleeps_;
  }
  /// Blocks until sleep_until was called `count` times in all, or 10 s of real time; false in the latter
  /// case.
  [[nodiscard]] bool wait_for_sleeps(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return moved_.wait_for(lock, std::chrono::seconds(10), [&] { return sleeps_.size() >= count; });
  }

 private:
  void move(std::chrono::nanoseconds by) {
    now_ += by;
    const std::int64_t ns = wall_.ns + by.count() % 1'000'000'000;
    wall_.s += by.count() / 1'000'000'000 + ns / 1'000'000'000;
    wall_.ns = static_cast<std::int32_t>(ns % 1'000'000'000);
    moved_.notify_all();
  }

  const OnSleep on_sleep_;
  // Not ssync::Mutex: waiting with a stop_token needs std::condition_variable_any.
  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  SteadyTime now_{std::chrono::hours(1)};
  WallTime wall_{1'000'000'000, 0};
  std::vector<SteadyTime> sleeps_;
};

}  // namespace ssync
