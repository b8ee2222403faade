#pragma once

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync {

/// INT and TERM as a descriptor to poll. The first one asks for a clean end; the second, from anybody, ends
/// the process at once with exit code 20. PIPE is ignored. Source: signalfd(2).
class Signals {
 public:
  /// Blocks INT and TERM for this thread and all it starts later: call it before any other thread exists.
  [[nodiscard]] static Result<Signals> block();
  /// Readable once INT or TERM came. Borrowed; valid as long as this object.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Takes what came; true if there was one. After the first true the default action is in force again, so
  /// that a second signal ends the process also when nobody polls.
  bool take() noexcept;

 private:
  explicit Signals(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Waits until `fd` is readable: true. False after `timeout_ms` (negative: no limit), or on a signal that is
/// not blocked.
[[nodiscard]] Result<bool> wait_readable(int fd, int timeout_ms);

}  // namespace ssync
