#include "ssync/base/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "ssync/base/exit_code.h"

namespace ssync {
namespace {

constexpr std::array<int, 2> kEnding{SIGINT, SIGTERM};

sigset_t set_of_ending() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kEnding)
    sigaddset(&set, number);
  return set;
}

extern "C" void leave_at_once(int) {
  _exit(to_int(ExitCode::interrupted));
}

bool has_terminal() noexcept {
  return static_cast<bool>(UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)));
}

/// Of a process that had a terminal: whether this HUP says that it is gone. The kernel says so itself, to the
/// leader of the session and to the foreground; a shell passes it on, or says so just before it goes.
bool is_of_terminal(const signalfd_siginfo& info) noexcept {
  if (info.ssi_code == SI_KERNEL) return true;
  const pid_t leader = ::getsid(0);
  const bool from_shell = static_cast<pid_t>(info.ssi_pid) == leader && leader != ::getpid();
  for (int looks = from_shell ? 30 : 0; has_terminal(); --looks) {
    if (looks <= 0) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

}  // namespace

bool ends_with_its_terminal() noexcept {
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  return hangup.sa_handler != SIG_IGN && has_terminal();
}

Result<Signals> Signals::block() {
  sigset_t set = set_of_ending();
  sigaddset(&set, SIGHUP);
  const bool hangup_ends = ends_with_its_terminal();
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return tl::unexpected(errno_error("blocking signals", error));
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  sigaction(SIGXFSZ, &ignore, nullptr);  // a write beyond `ulimit -f` is EFBIG of one file
  // What is ignored is not queued everywhere, even if it is blocked.
  struct sigaction ordinary {};
  ordinary.sa_handler = SIG_DFL;
  sigaction(SIGHUP, &ordinary, nullptr);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return tl::unexpected(errno_error("signalfd", errno));
  return Signals(std::move(fd), hangup_ends);
}

Signals::Taken Signals::take() noexcept {
  signalfd_siginfo info{};
  Taken taken;
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGHUP || (hangup_ends_ && is_of_terminal(info))) {
      taken.end = true;
    } else {
      taken.reopen_logs = true;
    }
  }
  if (!taken.end) return taken;
  struct sigaction leave {};
  leave.sa_handler = &leave_at_once;
  for (const int number : kEnding)
    sigaction(number, &leave, nullptr);
  const sigset_t set = set_of_ending();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return taken;
}

Result<bool> wait_readable(int fd, int timeout_ms) {
  pollfd item{fd, POLLIN, 0};
  const int count = ::poll(&item, 1, timeout_ms);
  if (count < 0) {
    if (errno == EINTR) return false;
    return tl::unexpected(errno_error("poll", errno));
  }
  return count > 0;
}

SignalsHeld::SignalsHeld() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsHeld::~SignalsHeld() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace ssync
