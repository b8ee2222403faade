#pragma once

#include <csignal>
#include <cstdint>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync {

/// INT, TERM and HUP as a descriptor to poll. The first INT or TERM asks for a clean end; the second, from
/// anybody, ends the process at once with exit code 20. HUP from a process (logrotate, systemd, kill) asks to
/// reopen log files. HUP because this process's terminal is gone asks for an end as TERM does, unless the
/// process was started with HUP ignored (nohup); one without a terminal never ends by HUP. PIPE is ignored.
/// Source: signalfd(2), and tty_io.c of Linux for what comes first when a terminal is hung up.
class Signals {
 public:
  /// What came. Both may be true.
  struct Taken {
    bool end = false;
    bool reopen_logs = false;
  };

  /// Blocks them for this thread and all it starts later: call it before any other thread exists.
  [[nodiscard]] static Result<Signals> block();
  /// Readable once one came. Borrowed; valid as long as this object.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Takes what came. After the first `end`, INT and TERM are no longer blocked: the next one ends the
  /// process at once with exit code 20, also when nobody polls. Blocks for 0.3 s at most, and only after a
  /// HUP from the shell of this process's terminal: it waits to see whether the terminal goes away with that
  /// shell.
  Taken take() noexcept;

 private:
  Signals(UniqueFd fd, bool hangup_ends) noexcept : fd_(std::move(fd)), hangup_ends_(hangup_ends) {}
  UniqueFd fd_;
  bool hangup_ends_;
};

/// Whether this process has a terminal that controls it, and was not told to go on without it (HUP is not
/// ignored).
[[nodiscard]] bool ends_with_its_terminal() noexcept;

/// Waits until `fd` is readable: true. False after `timeout_ms` (negative: no limit), or on a signal that is
/// not blocked.
[[nodiscard]] Result<bool> wait_readable(int fd, int timeout_ms);

/// Blocks all signals for this thread as long as the object lives. Threads that are started meanwhile inherit
/// that and keep it. Without it, a thread that is started before Signals::block() would take INT, TERM and
/// HUP with their default action, which ends the process.
class [[nodiscard]] SignalsHeld {
 public:
  SignalsHeld() noexcept;
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace ssync
