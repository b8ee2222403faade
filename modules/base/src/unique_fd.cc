#include "ssync/base/unique_fd.h"

#include <unistd.h>

#include <cerrno>

namespace ssync {

void UniqueFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old < 0) return;
  const int saved = errno;
  // Not repeated on EINTR: on Linux the descriptor is gone all the same, and may already be somebody else's.
  ::close(old);
  errno = saved;
}

}  // namespace ssync
