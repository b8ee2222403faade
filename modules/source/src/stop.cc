#include "stop.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace ssync::source {

Result<bool> Stop::pause(std::chrono::milliseconds time) const {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + time;
  for (;;) {
    if (is_set()) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return true;
    std::array<pollfd, 2> fds{pollfd{fd(), POLLIN, 0}, pollfd{watched_fd(), POLLIN, 0}};
    const int ready =
        ::poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000'000)));
    if (ready < 0 && errno != EINTR) return tl::unexpected(errno_error("poll", errno));
    if (ready > 0 && fds[1].revents != 0) take_watched();
  }
}

}  // namespace ssync::source
