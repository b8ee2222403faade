// Work that may wait for a disk gets a thread of its own, so that the thread that owns the sockets never
// waits.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "ssync/base/event_fd.h"
#include "ssync/base/thread.h"

namespace ssync::serve {

/// One piece of work. Thread safety: owner thread only. Destroying it joins.
class Aside {
 public:
  using Clock = std::chrono::steady_clock;
  /// Starts at once; `wake` is signalled when it is done. An exception that leaves `work` goes to `failed` as
  /// text, in that thread.
  Aside(EventFd& wake, std::function<void()> work, std::function<void(std::string)> failed)
      : thread_([this, &wake, what = std::move(work), say = std::move(failed)]() mutable {
          try {
            what();
          } catch (const std::exception& error) {
            say(error.what());
          }
          what = nullptr;
          done_.store(true);
          wake.signal();
        }) {}

  [[nodiscard]] bool is_done() const noexcept { return done_.load(); }
  [[nodiscard]] Clock::duration age() const { return Clock::now() - since_; }
  /// Waits for it.
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  const Clock::time_point since_ = Clock::now();
  std::atomic<bool> done_{false};
  Thread thread_;  ///< ends when its work is done
};

}  // namespace ssync::serve
