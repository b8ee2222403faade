// One TCP socket of this machine, asked of the kernel by its ends: sock_diag(7). That costs the same whatever
// the number of connections; /proc/net/tcp is written anew, all of it, for everybody who reads it.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>

#include "address.h"

namespace ssync::net {

/// An address of either family as the 16 bytes of IPv6 (IPv4 mapped), and a port: a dual-stack server's
/// socket is one of IPv6 while its client's is one of IPv4.
struct SocketEnd {
  std::array<unsigned char, 16> address{};
  unsigned port = 0;
  friend bool operator==(const SocketEnd&, const SocketEnd&) = default;
};
[[nodiscard]] SocketEnd end_of(const SocketAddress& socket) noexcept;

struct SocketRow {
  SocketEnd local, remote;
  uid_t uid = 0;
  unsigned long inode = 0;  ///< 0: no process has it, and the uid means nothing
  bool listens = false;
};

/// nullopt: there is none, or this kernel does not say (it may have no tcp_diag, or a sandbox forbids to
/// ask).
[[nodiscard]] std::optional<SocketRow> ask_socket(const SocketEnd& local, const SocketEnd& remote) noexcept;
/// The socket that accepts what connects to this address and port. nullopt: as ask_socket().
[[nodiscard]] std::optional<SocketRow> ask_listener(const SocketEnd& local) noexcept;

}  // namespace ssync::net
