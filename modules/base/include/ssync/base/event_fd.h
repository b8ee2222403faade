#pragma once

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync {

/// Wakes a thread that polls: the descriptor is readable from the first signal() until drain(). Signals in
/// between merge into one. Source: eventfd(2).
class EventFd {
 public:
  /// Errors: Errc::limit when the process or system is out of descriptors.
  [[nodiscard]] static Result<EventFd> create();

  /// Thread safety: any thread, and signal handlers. Never blocks. Keeps errno.
  void signal() noexcept;
  /// Makes the descriptor unreadable again; true if there was a signal. Look for work after draining, not
  /// before, or a signal in between is lost. Thread safety: the polling thread.
  bool drain() noexcept;
  /// Borrowed, to poll for POLLIN; non-blocking and close-on-exec. Valid as long as this object.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  explicit EventFd(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace ssync
