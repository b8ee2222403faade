#include "protection.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace ssync::net {

ServerTransport::Protection protection_for(std::span<const SocketAddress> addresses, bool require_keys) {
  using Protection = ServerTransport::Protection;
  const bool beyond = !std::ranges::all_of(addresses, is_loopback);
  return beyond || require_keys ? Protection::keys : Protection::secret;
}

Security::Kind kind_of(ServerTransport::Protection protection) noexcept {
  switch (protection) {
    case ServerTransport::Protection::secret:
      return Security::Kind::secret;
    case ServerTransport::Protection::keys:
      return Security::Kind::keys;
    case ServerTransport::Protection::none:
      break;
  }
  return Security::Kind::none;
}

LocalAccess admit_local(Admission& admission, Admission::Door door, ServerTransport::Protection protection,
                        bool require_keys, const KeyPair* own) {
  LocalAccess access;
  switch (protection) {
    case ServerTransport::Protection::none:
      admission.let_in_anybody();
      break;
    case ServerTransport::Protection::secret:
      access.kind = LocalAccess::Kind::secret;
      access.secret = Secret::random();
      admission.let_in_secret(door, access.secret.clone());
      break;
    case ServerTransport::Protection::keys:
      access.kind = LocalAccess::Kind::key;
      access.server = own->public_key;
      if (!require_keys) access.client = KeyPair::random();
      admission.let_in_keys(door, access.client ? std::optional(access.client->public_key) : std::nullopt);
      break;
  }
  return access;
}

Result<std::vector<AccessFile>> write_access_files(const LocalAccess& access,
                                                   std::span<const SocketAddress> addresses,
                                                   std::vector<std::string>& notices) {
  std::vector<AccessFile> out;
  for (const SocketAddress& address : addresses) {
    if (!is_loopback(address) && !is_any(address)) continue;
    Result<AccessFile> file = AccessFile::write(address, access);
    if (file) {
      out.push_back(*std::move(file));
      continue;
    }
    const std::string why =
        fmt::format("cannot leave for programs of this user what lets them in: {}", file.error().text());
    // Without it, nobody at all could connect.
    if (access.kind == LocalAccess::Kind::secret)
      return fail(file.error().code, why + " (set XDG_RUNTIME_DIR, or say --require-keys)");
    notices.push_back(why);
  }
  return out;
}

std::uint64_t handshake_bytes(Security::Kind kind, std::string_view socket_type) noexcept {
  constexpr std::uint64_t kGreeting = 64;
  constexpr std::uint64_t kPlainWelcome = 2 + 8;
  constexpr std::uint64_t kCurveWelcome = 2 + 168;
  const std::uint64_t ready = 2 + 6 + (1 + 11 + 4 + socket_type.size());
  switch (kind) {
    case Security::Kind::secret:
      return kGreeting + kPlainWelcome + ready;
    case Security::Kind::keys:
      return kGreeting + kCurveWelcome + ready;
    case Security::Kind::none:
      break;
  }
  return kGreeting + ready;
}

}  // namespace ssync::net
