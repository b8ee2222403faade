#include "ssync/base/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "ssync/base/exit_code.h"

namespace ssync {
namespace {

sigset_t ending_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

extern "C" void leave_at_once(int) {
  _exit(to_int(ExitCode::interrupted));
}

}  // namespace

Result<Signals> Signals::block() {
  const sigset_t set = ending_signals();
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return tl::unexpected(errno_error("blocking signals", error));
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return tl::unexpected(errno_error("signalfd", errno));
  return Signals(std::move(fd));
}

bool Signals::take() noexcept {
  signalfd_siginfo info{};
  bool any = false;
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    any = true;
  if (!any) return false;
  struct sigaction leave {};
  leave.sa_handler = &leave_at_once;
  sigaction(SIGINT, &leave, nullptr);
  sigaction(SIGTERM, &leave, nullptr);
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return true;
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

}  // namespace ssync
