// What a listening socket asks of those who come to it, and what it leaves for programs of its own user.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/net/admission.h"
#include "ssync/net/keys.h"
#include "ssync/net/transport.h"

#include "address.h"
#include "local_access.h"
#include "options.h"

namespace ssync::net {

/// Keys with any address beyond loopback.
[[nodiscard]] ServerTransport::Protection protection_for(std::span<const SocketAddress> addresses,
                                                         bool require_keys);
[[nodiscard]] Security::Kind kind_of(ServerTransport::Protection protection) noexcept;

/// What programs of this user are to show; it lets them in from now on. `own`: not null with keys.
[[nodiscard]] LocalAccess admit_local(Admission& admission, Admission::Door door,
                                      ServerTransport::Protection protection, bool require_keys,
                                      const KeyPair* own);
/// One for each address that programs on this machine may connect to. What failed and can be done without
/// goes to `notices`. Errors: as AccessFile::write(), when nobody could connect without.
[[nodiscard]] Result<std::vector<AccessFile>> write_access_files(const LocalAccess& access,
                                                                 std::span<const SocketAddress> addresses,
                                                                 std::vector<std::string>& notices);

/// What this end has sent, at least, when a handshake is over: its greeting, what the mechanism says, and
/// READY with the socket's type (RFC 23, 24, 26). A peer that is refused is sent less.
[[nodiscard]] std::uint64_t handshake_bytes(Security::Kind kind, std::string_view socket_type) noexcept;

}  // namespace ssync::net
