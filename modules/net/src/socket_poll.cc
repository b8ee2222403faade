#include "socket_poll.h"

#include <algorithm>
#include <cerrno>

#include "frames.h"

namespace ssync::net {
namespace {

template <typename T>
Result<T> option(zmq::socket_t& socket, int which) {
  T value{};
  std::size_t length = sizeof value;
  while (zmq_getsockopt(socket.handle(), which, &value, &length) != 0) {
    if (errno != EINTR) return fail(zmq_failure("waiting for messages", errno));
  }
  return value;
}

}  // namespace

Result<void> PolledSocket::ask(short wanted) {
  if (fd_ < 0) {
    SSYNC_TRY(fd_, option<int>(*socket_, ZMQ_FD));
  }
  SSYNC_TRY(const int events, option<int>(*socket_, ZMQ_EVENTS));
  ready_ = static_cast<short>(events & wanted);
  used_ = ready_ != 0 || (events & ZMQ_POLLIN) != 0;
  return {};
}

Result<void> SocketPoll::wait(std::span<const Item> sockets, std::span<const int> fds,
                              std::chrono::steady_clock::time_point deadline, std::vector<bool>& readable) {
  using std::chrono::milliseconds;
  bool ready = false;
  items_.clear();
  for (const Item& item : sockets) {
    item.socket->ready_ = 0;
    if (item.socket->used_ || (item.wanted & ZMQ_POLLOUT) != 0) SSYNC_TRY_VOID(item.socket->ask(item.wanted));
    ready = ready || item.socket->ready_ != 0;
    items_.push_back({item.socket->fd_, POLLIN, 0});
  }
  for (const int fd : fds)
    items_.push_back({fd, POLLIN, 0});
  readable.assign(fds.size(), false);
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto timeout_ms = ready ? 0 : std::max<milliseconds::rep>(left.count(), 0);
    const int found = ::poll(items_.data(), items_.size(), static_cast<int>(timeout_ms));
    if (found < 0 && errno != EINTR) return fail(errno_error("waiting for messages", errno));
    for (std::size_t i = 0; found > 0 && i < items_.size(); ++i) {
      if (items_[i].revents == 0) continue;
      if (i >= sockets.size()) {
        readable[i - sockets.size()] = true;
        ready = true;
        continue;
      }
      SSYNC_TRY_VOID(sockets[i].socket->ask(sockets[i].wanted));
      ready = ready || sockets[i].socket->ready_ != 0;
    }
    if (ready || timeout_ms == 0) return {};
  }
}

}  // namespace ssync::net
