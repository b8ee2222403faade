#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::net {
namespace {

SocketAddress from_sockaddr(const sockaddr* address, socklen_t length) noexcept {
  SocketAddress out;
  out.length = std::min<socklen_t>(length, sizeof out.storage);
  std::memcpy(&out.storage, address, out.length);
  return out;
}

struct FreeAddrinfo {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

Result<std::vector<SocketAddress>> lookup(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddrinfo> owner(list);
  if (rc == EAI_SYSTEM) return fail(errno_error("look up " + host, errno));
  if (rc != 0) {
    const bool unknown = rc == EAI_NONAME || rc == EAI_NODATA || rc == EAI_ADDRFAMILY;
    return fail(unknown ? Errc::not_found : Errc::io,
                fmt::format("look up {}: {}", host, ::gai_strerror(rc)));
  }
  std::vector<SocketAddress> found;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    if (item->ai_family == AF_INET || item->ai_family == AF_INET6) {
      found.push_back(from_sockaddr(item->ai_addr, item->ai_addrlen));
    }
  }
  if (found.empty()) return fail(Errc::not_found, "look up " + host + ": it has no IP address");
  return found;
}

bool is_mapped(const in6_addr& address) noexcept {
  return IN6_IS_ADDR_V4MAPPED(&address) != 0;
}

template <typename Sockaddr>
Sockaddr as(const SocketAddress& address) noexcept {
  Sockaddr out{};
  std::memcpy(&out, &address.storage, sizeof out);
  return out;
}

std::vector<SocketAddress> without_repetition(std::vector<SocketAddress> addresses) {
  const auto same = [](const auto& a, const auto& b) { return text_of(a) == text_of(b); };
  addresses.erase(std::unique(addresses.begin(), addresses.end(), same), addresses.end());
  return addresses;
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port) {
  std::vector<SocketAddress> found;
  if (host == "localhost") {
    for (const char* address : {"127.0.0.1", "::1"}) {
      SSYNC_TRY(auto one, lookup(address, port, AI_NUMERICHOST));
      found.push_back(one.front());
    }
    return found;
  }
  SSYNC_TRY(found, lookup(host, port, 0));
  std::stable_partition(found.begin(), found.end(),
                        [](const auto& address) { return address.family() == AF_INET; });
  return without_repetition(std::move(found));
}

Result<std::vector<SocketAddress>> bind_addresses(const std::string& text, std::uint16_t port) {
  std::string host = text;
  if (text == "*") host = "0.0.0.0";
  if (text == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  auto found = lookup(host, port, AI_PASSIVE);
  if (!found) {
    return fail(Errc::invalid_argument,
                fmt::format("cannot listen on \"{}\": it is no address and no name of one ({})", escape(text),
                            found.error().text()));
  }
  return without_repetition(*std::move(found));
}

SocketAddress with_port(SocketAddress address, std::uint16_t port) noexcept {
  if (address.family() == AF_INET6) {
    auto in6 = as<sockaddr_in6>(address);
    in6.sin6_port = htons(port);
    std::memcpy(&address.storage, &in6, sizeof in6);
  } else {
    auto in = as<sockaddr_in>(address);
    in.sin_port = htons(port);
    std::memcpy(&address.storage, &in, sizeof in);
  }
  return address;
}

std::uint16_t port_of(const SocketAddress& address) noexcept {
  return ntohs(address.family() == AF_INET6 ? as<sockaddr_in6>(address).sin6_port
                                            : as<sockaddr_in>(address).sin_port);
}

SocketAddress any_address(int family, std::uint16_t port) noexcept {
  SocketAddress out;
  out.storage.ss_family = static_cast<sa_family_t>(family);
  out.length = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return with_port(out, port);
}

std::string host_of(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.family() == AF_INET6) {
    const in6_addr in6 = as<sockaddr_in6>(address).sin6_addr;
    const bool mapped = is_mapped(in6);
    ::inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? &in6.s6_addr[12] : &in6.s6_addr[0], text.data(),
                text.size());
    const auto scope = as<sockaddr_in6>(address).sin6_scope_id;
    if (scope != 0) return fmt::format("{}%{}", text.data(), scope);
  } else {
    const in_addr in = as<sockaddr_in>(address).sin_addr;
    ::inet_ntop(AF_INET, &in, text.data(), text.size());
  }
  return text.data();
}

std::string text_of(const SocketAddress& address) {
  const std::string host = host_of(address);
  const bool brackets = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", host, brackets ? "]" : "", port_of(address));
}

std::string endpoint_of(const SocketAddress& address) {
  return "tcp://" + text_of(address);
}

bool is_loopback(const SocketAddress& address) noexcept {
  if (address.family() == AF_INET) {
    return (ntohl(as<sockaddr_in>(address).sin_addr.s_addr) >> 24U) == 127;
  }
  if (address.family() != AF_INET6) return false;
  const in6_addr in6 = as<sockaddr_in6>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&in6) || (is_mapped(in6) && in6.s6_addr[12] == 127);
}

bool is_any(const SocketAddress& address) noexcept {
  if (address.family() == AF_INET) return as<sockaddr_in>(address).sin_addr.s_addr == htonl(INADDR_ANY);
  const in6_addr in6 = as<sockaddr_in6>(address).sin6_addr;
  return IN6_IS_ADDR_UNSPECIFIED(&in6) != 0;
}

std::optional<SocketAddress> peer_address(int fd) noexcept {
  SocketAddress out;
  out.length = sizeof out.storage;
  auto* address = reinterpret_cast<sockaddr*>(&out.storage);
  if (::getpeername(fd, address, &out.length) != 0) return std::nullopt;
  if (out.family() != AF_INET && out.family() != AF_INET6) return std::nullopt;
  return out;
}

std::optional<SocketAddress> local_address(int fd) noexcept {
  SocketAddress out;
  out.length = sizeof out.storage;
  auto* address = reinterpret_cast<sockaddr*>(&out.storage);
  if (::getsockname(fd, address, &out.length) != 0) return std::nullopt;
  if (out.family() != AF_INET && out.family() != AF_INET6) return std::nullopt;
  return out;
}

}  // namespace ssync::net
