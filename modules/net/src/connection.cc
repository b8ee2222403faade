#include "connection.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <string_view>

#include "address.h"

namespace ssync::net {
namespace {

std::optional<std::uint64_t> cookie_of(int fd) noexcept {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return std::nullopt;
  return cookie;
}

/// `noted` as getnameinfo(3) writes it: IPv4 on a dual-stack socket is mapped, and a scope is a name.
bool same_host(std::string_view noted, std::string_view host) noexcept {
  constexpr std::string_view kMapped = "::ffff:";
  if (noted.starts_with(kMapped) && noted.find('.') != std::string_view::npos)
    noted.remove_prefix(kMapped.size());
  return noted.substr(0, noted.find('%')) == host.substr(0, host.find('%'));
}

}  // namespace

int Connection::fd_of(const zmq::message_t& frame) noexcept {
  return zmq_msg_get(const_cast<zmq::message_t&>(frame).handle(), ZMQ_SRCFD);
}

Connection Connection::at(int fd) noexcept {
  return Connection(fd, cookie_of(fd).value_or(0), {});
}

std::optional<Connection> Connection::of(const zmq::message_t& frame) {
  const int fd = fd_of(frame);
  const auto cookie = cookie_of(fd);
  const auto peer = peer_address(fd);
  if (fd < 0 || !cookie || !peer) return std::nullopt;
  // The property is libzmq's own note of when it accepted. Another host: the number was reused.
  const char* noted = zmq_msg_gets(frame.handle(), "Peer-Address");
  if (noted == nullptr || !same_host(noted, host_of(*peer))) return std::nullopt;
  return Connection(fd, *cookie, text_of(*peer));
}

bool Connection::alive() const noexcept {
  return cookie_of(fd_) == cookie_;
}

void Connection::shut() const noexcept {
  if (alive()) ::shutdown(fd_, SHUT_RDWR);
}

Traffic traffic_of(int fd) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  if (length < offsetof(tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent) return {};
  return {info.tcpi_bytes_sent, info.tcpi_bytes_received};
}

}  // namespace ssync::net
