#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"

namespace ssync::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
};

/// TCP addresses of a name or a numeric address, IPv4 before IPv6, without repetition; never empty. localhost
/// is 127.0.0.1, then ::1, whatever the machine's tables say. Blocks on the resolver for anything but numbers
/// and localhost. Errors: Errc::not_found "no such host: x", Errc::io when the resolver fails.
[[nodiscard]] Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port);

/// What a server is to bind for an address: a numeric one (IPv6 with or without brackets), "localhost"
/// (127.0.0.1), "*" (0.0.0.0), or a name, which may have several. Not empty. Errors: Errc::invalid_argument.
[[nodiscard]] Result<std::vector<SocketAddress>> bind_addresses(const std::string& text, std::uint16_t port);

[[nodiscard]] SocketAddress with_port(SocketAddress address, std::uint16_t port) noexcept;
[[nodiscard]] std::uint16_t port_of(const SocketAddress& address) noexcept;
/// 0.0.0.0 or ::, for a server that listens on all addresses of the family.
[[nodiscard]] SocketAddress any_address(int family, std::uint16_t port) noexcept;
[[nodiscard]] std::string host_of(const SocketAddress& address);  ///< "127.0.0.1", "::1"; IPv4-mapped as IPv4
[[nodiscard]] std::string text_of(const SocketAddress& address);  ///< "127.0.0.1:7101", "[::1]:7101"
[[nodiscard]] std::string endpoint_of(const SocketAddress& address);  ///< "tcp://" and the text
[[nodiscard]] bool is_any(const SocketAddress& address) noexcept;     ///< 0.0.0.0, ::
[[nodiscard]] bool is_loopback(const SocketAddress& address) noexcept;

/// Of a TCP socket; nullopt when `fd` is not one (any more).
[[nodiscard]] std::optional<SocketAddress> peer_address(int fd) noexcept;
[[nodiscard]] std::optional<SocketAddress> local_address(int fd) noexcept;

}  // namespace ssync::net
