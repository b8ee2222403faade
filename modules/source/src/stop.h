// How a source is told to end, and what else it watches while it waits.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <utility>

#include "ssync/base/event_fd.h"
#include "ssync/base/result.h"
#include "ssync/base/watched.h"

namespace ssync::source {

/// Thread safety: set() any thread, the rest the owner's.
class Stop {
 public:
  explicit Stop(EventFd event) : event_(std::move(event)) {}

  void set() noexcept {
    is_set_.store(true);
    event_.signal();
  }
  [[nodiscard]] bool is_set() const noexcept { return is_set_.load(); }
  /// Becomes readable with set(), and stays so.
  [[nodiscard]] int fd() const noexcept { return event_.fd(); }

  /// Requires: `watched` outlives this object's use.
  void watch(const Watched& watched) noexcept { watched_ = &watched; }
  [[nodiscard]] int watched_fd() const noexcept { return watched_ == nullptr ? -1 : watched_->fd; }
  void take_watched() const {
    if (watched_ != nullptr && watched_->on_readable) watched_->on_readable();
  }
  /// False: it was set meanwhile.
  [[nodiscard]] Result<bool> pause(std::chrono::milliseconds time) const;

 private:
  EventFd event_;
  std::atomic<bool> is_set_{false};
  const Watched* watched_ = nullptr;
};

}  // namespace ssync::source
