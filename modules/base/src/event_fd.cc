#include "ssync/base/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace ssync {

Result<EventFd> EventFd::create() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return fail(errno_error("eventfd", errno));
  return EventFd(std::move(fd));
}

void EventFd::signal() noexcept {
  // Whoever finds a signal there has written its work before this, and it is looked for after the exchange in
  // drain().
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  const int saved = errno;
  const std::uint64_t one = 1;
  // EAGAIN: the counter is full, hence readable, which is all a signal is for.
  while (::write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = saved;
}

bool EventFd::drain() noexcept {
  std::uint64_t count = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd_.get(), &count, sizeof count);
  } while (got < 0 && errno == EINTR);
  // Cleared after the read: a signal() in between writes nothing, which is right, as the draining thread
  // looks for work only after this.
  signalled_.exchange(false, std::memory_order_acq_rel);
  return got == static_cast<ssize_t>(sizeof count);
}

}  // namespace ssync
