// Work that may wait for a disk gets a thread of its own, so that the thread that owns the sockets never
// waits.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include "ssync/base/event_fd.h"
#include "ssync/base/thread.h"

namespace ssync::serve {

/// One piece of work. Thread safety: owner thread only. Destroying it joins.
class Aside {
 public:
  using Clock = std::chrono::steady_clock;
  /// Starts at once; `wake` is signalled when it is done. An exception that leaves `work` goes to `failed` as
  /// text, in that thread. When the system gives no thread, the work is done here: late is better than never.
  Aside(EventFd& wake, std::function<void()> work, std::function<void(std::string)> failed)
      : work_(std::move(work)), failed_(std::move(failed)) {
    try {
      thread_ = Thread([this, &wake] { run(wake); });
    } catch (const std::system_error&) {
      run(wake);
    }
  }

  [[nodiscard]] bool is_done() const noexcept { return done_.load(); }
  [[nodiscard]] Clock::duration age() const { return Clock::now() - since_; }
  /// Waits for it.
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run(EventFd& wake) {
    try {
      work_();
    } catch (const std::exception& error) {
      failed_(error.what());
    }
    work_ = nullptr;
    done_.store(true);
    wake.signal();
  }

  const Clock::time_point since_ = Clock::now();
  std::function<void()> work_;
  std::function<void(std::string)> failed_;
  std::atomic<bool> done_{false};
  Thread thread_;  ///< ends when its work is done
};

}  // namespace ssync::serve
