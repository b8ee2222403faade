#include "fd_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace ssync {

Result<void> FdSink::reopen() {
  if (!open_) return {};
  SSYNC_TRY(UniqueFd fresh, open_());
  const std::lock_guard lock(mutex_);
  owned_ = std::move(fresh);
  fd_ = owned_.get();
  return {};
}

void FdSink::sink_it_(const spdlog::details::log_msg& msg) {
  spdlog::memory_buf_t line;
  formatter_->format(msg, line);
  const char* next = line.data();
  std::size_t left = line.size();
  while (left > 0) {
    const ssize_t put = ::write(fd_, next, left);
    if (put >= 0) {
      next += put;
      left -= static_cast<std::size_t>(put);
    } else if (errno == EAGAIN) {
      // A terminal or pipe that somebody else has made non-blocking.
      pollfd poll_fd{fd_, POLLOUT, 0};
      ::poll(&poll_fd, 1, -1);
    } else if (errno != EINTR) {
      throw spdlog::spdlog_ex("cannot write the log", errno);
    }
  }
}

}  // namespace ssync
