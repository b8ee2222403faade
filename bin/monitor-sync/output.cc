#include "output.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace ssync {
namespace {

// A pipe that is writable takes this much without blocking.
constexpr std::size_t kPiece = 4096;

}  // namespace

Output::Output(Signals& signals) noexcept : signals_(signals), is_pipe_(false) {
  struct stat status {};
  is_pipe_ = ::fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
}

Result<Output::Written> Output::write(std::string_view lines) const {
  while (!lines.empty()) {
    std::array<pollfd, 2> items{{{STDOUT_FILENO, POLLOUT, 0}, {signals_.fd(), POLLIN, 0}}};
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return fail(errno_error("poll", errno));
    if (items[1].revents != 0 && signals_.take().end) return Written::interrupted;
    if (items[0].revents == 0) continue;
    const ssize_t written = ::write(STDOUT_FILENO, lines.data(), std::min(lines.size(), kPiece));
    if (written >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return Written::reader_gone;
    } else if (errno != EINTR && errno != EAGAIN) {
      return fail(errno_error("write to standard output", errno));
    }
  }
  return Written::yes;
}

std::optional<int> Output::pipe() const noexcept {
  if (!is_pipe_) return std::nullopt;
  return STDOUT_FILENO;
}

bool Output::reader_gone() const noexcept {
  pollfd item{STDOUT_FILENO, 0, 0};
  return is_pipe_ && ::poll(&item, 1, 0) == 1 && (item.revents & POLLERR) != 0;
}

bool Output::is_terminal() noexcept {
  return ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace ssync
