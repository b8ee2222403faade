#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "ssync/base/result.h"

namespace ssync::net {

/// Both ends of a TCP connection are on this machine and the peer's address is a loopback one (127.0.0.0/8,
/// ::1). False for anything that is not a connected TCP socket.
[[nodiscard]] bool is_loopback_peer(int fd) noexcept;

/// The user whose process holds the other end of this loopback connection, looked up by both addresses and
/// ports: asked of the kernel (sock_diag(7)), and where it does not say, in its tables (/proc/net/tcp, tcp6).
/// nullopt when no process holds it: it has been closed, or not been accepted yet. Such sockets stand in the
/// tables as root's, which must not be taken for root. Errors: as open(2) and read(2) of the tables. Thread
/// safety: any thread; `fd` is borrowed.
[[nodiscard]] Result<std::optional<uid_t>> owner_of_peer(int fd);

/// "user 65534 (nobody)".
[[nodiscard]] std::string user_text(uid_t user);

/// May the peer of this connection talk to us: it is not local, or its user is ours or root. Otherwise a
/// sentence for people, starting with the peer's address: "127.0.0.1:40312 belongs to user 65534 (nobody)".
[[nodiscard]] std::optional<std::string> stranger(int fd);

/// Whether a user other than root and ours holds it. False also when that cannot be told (just now).
[[nodiscard]] bool belongs_to_another(int fd);

}  // namespace ssync::net
