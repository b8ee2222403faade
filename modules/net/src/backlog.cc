#include "backlog.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

namespace ssync::net {
namespace {

std::uint64_t bytes_received(int fd) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  if (length < offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return 0;
  return info.tcpi_bytes_received;
}

}  // namespace

std::uint64_t Backlog::look(int fd) noexcept {
  const std::uint64_t received = bytes_received(fd);
  taken_ = std::min(taken_, received);
  last_ = received - taken_;
  return last_;
}

BacklogTimer::Look BacklogTimer::due(SteadyTime now) noexcept {
  if (now < next()) return Look::none;
  looked_ = now;
  if (now - looked_all_ < kLookAtBacklogs) return Look::much;
  looked_all_ = now;
  return Look::all;
}

}  // namespace ssync::net
