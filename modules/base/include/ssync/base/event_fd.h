#pragma once

#include <atomic>
#include <utility>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync {

/// Wakes a thread that polls: the descriptor is readable from the first signal() until drain(). Signals in
/// between merge into one, and only the first of them is a system call. Source: eventfd(2).
class EventFd {
 public:
  /// Move construction and move assignment require that nobody calls signal() meanwhile.
  EventFd(EventFd&& other) noexcept
      : fd_(std::move(other.fd_)), signalled_(other.signalled_.load(std::memory_order_relaxed)) {}
  EventFd& operator=(EventFd&& other) noexcept {
    fd_ = std::move(other.fd_);
    signalled_.store(other.signalled_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return *this;
  }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;
  ~EventFd() = default;

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
  std::atomic<bool> signalled_{
      false};  ///< the eventfd was written to since the last drain(): further signals need no write
};

}  // namespace ssync
