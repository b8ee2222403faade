#include "socket_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "ssync/base/unique_fd.h"

namespace ssync::net {
namespace {

constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// The kernel answers at once; this is for one that does not.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};

struct Question {
  nlmsghdr head{};
  inet_diag_req_v2 body{};
};

bool is_mapped(const SocketEnd& end) noexcept {
  return std::equal(kMapped.begin(), kMapped.end(), end.address.begin());
}

/// As inet_diag has addresses: IPv4 in the first word.
void put_address(const SocketEnd& end, bool mapped, void* into) noexcept {
  std::memcpy(into, end.address.data() + (mapped ? kMapped.size() : 0), mapped ? 4 : 16);
}

SocketEnd end_of(unsigned char family, const void* address, std::uint16_t port) noexcept {
  SocketEnd end;
  end.port = ntohs(port);
  if (family == AF_INET) {
    std::copy(kMapped.begin(), kMapped.end(), end.address.begin());
    std::memcpy(end.address.data() + kMapped.size(), address, 4);
  } else {
    std::memcpy(end.address.data(), address, 16);
  }
  return end;
}

Question question_for(const SocketEnd& local, const SocketEnd& remote) noexcept {
  const bool mapped = is_mapped(local) && is_mapped(remote);
  Question question;
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST;
  question.body.sdiag_family = mapped ? AF_INET : AF_INET6;
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = ~0U;
  inet_diag_sockid& id = question.body.id;
  put_address(local, mapped, id.idiag_src);
  put_address(remote, mapped, id.idiag_dst);
  id.idiag_sport = htons(static_cast<std::uint16_t>(local.port));
  id.idiag_dport = htons(static_cast<std::uint16_t>(remote.port));
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return question;
}

}  // namespace

SocketEnd end_of(const SocketAddress& socket) noexcept {
  if (socket.family() == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &socket.storage, sizeof in);
    return end_of(AF_INET, &in.sin_addr, in.sin_port);
  }
  if (socket.family() != AF_INET6) return {};
  sockaddr_in6 in6{};
  std::memcpy(&in6, &socket.storage, sizeof in6);
  return end_of(AF_INET6, &in6.sin6_addr, in6.sin6_port);
}

namespace {

std::optional<SocketRow> ask_kernel(const SocketEnd& local, const SocketEnd& remote) noexcept {
  const UniqueFd kernel(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!kernel) return std::nullopt;
  (void)::setsockopt(kernel.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  const Question question = question_for(local, remote);
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  if (::sendto(kernel.get(), &question, sizeof question, 0, reinterpret_cast<const sockaddr*>(&to),
               sizeof to) != static_cast<ssize_t>(sizeof question))
    return std::nullopt;
  alignas(nlmsghdr) std::array<std::byte, 1024> answer{};
  sockaddr_nl from{};
  socklen_t from_length = sizeof from;
  const ssize_t got = ::recvfrom(kernel.get(), answer.data(), answer.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &from_length);
  if (got < 0 || from.nl_pid != 0) return std::nullopt;  // 0 is the kernel; a program could say anything
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return std::nullopt;
  nlmsghdr head{};
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
    return std::nullopt;  // else an error: mostly that there is none
  inet_diag_msg found{};
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  SocketRow row;
  row.local = end_of(found.idiag_family, found.id.idiag_src, found.id.idiag_sport);
  row.remote = end_of(found.idiag_family, found.id.idiag_dst, found.id.idiag_dport);
  row.uid = found.idiag_uid;
  row.inode = found.idiag_inode;
  row.listens = found.idiag_state == TCP_LISTEN;
  return row;
}

}  // namespace

std::optional<SocketRow> ask_socket(const SocketEnd& local, const SocketEnd& remote) noexcept {
  const auto row = ask_kernel(local, remote);
  // Where there is no such connection, the kernel gives the socket that listens at its local end.
  if (!row || row->local != local || row->remote != remote) return std::nullopt;
  return row;
}

std::optional<SocketRow> ask_listener(const SocketEnd& local) noexcept {
  SocketEnd nobody = local;
  nobody.port = 0;
  const auto row = ask_kernel(local, nobody);
  if (!row || !row->listens || row->local.port != local.port) return std::nullopt;
  return row;
}

}  // namespace ssync::net
