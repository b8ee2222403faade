#include "credentials.h"

#include <unistd.h>

#include <utility>

#include <fmt/format.h>

#include "ssync/net/socket_owner.h"

#include "local_access.h"
#include "socket_diag.h"

namespace ssync::net {
namespace {

Result<Credentials> with_key(const PublicKey& server, std::shared_ptr<const KeyPair> own) {
  Credentials out;
  out.kind = Security::Kind::keys;
  out.own = std::move(own);
  out.server = server;
  return out;
}

Result<std::shared_ptr<const KeyPair>> own_key_of(const ClientTransport::Options& options) {
  if (!options.own_key) return fail(Errc::refused, "the server wants a key, and this program has none");
  return options.own_key();
}

Result<Credentials> for_local(LocalAccess access, const ClientTransport::Options& options) {
  Credentials out;
  switch (access.kind) {
    case LocalAccess::Kind::open:
      return out;
    case LocalAccess::Kind::secret:
      out.kind = Security::Kind::secret;
      out.secret = std::move(access.secret);
      return out;
    case LocalAccess::Kind::key:
      break;
  }
  if (access.client)
    return with_key(access.server, std::make_shared<const KeyPair>(*std::move(access.client)));
  SSYNC_TRY(auto own, own_key_of(options));
  return with_key(access.server, std::move(own));
}

}  // namespace

Result<Credentials> credentials_for(const SocketAddress& server, const ClientTransport::Options& options) {
  if (options.server_key) {
    SSYNC_TRY(auto own, own_key_of(options));
    return with_key(*options.server_key, std::move(own));
  }
  if (is_loopback(server)) {
    SSYNC_TRY(auto access, find_local_access(server));
    if (access) return for_local(*std::move(access), options);
    Credentials out;
    if (options.insecure) return out;
    out.kind = Security::Kind::secret;
    out.is_stranger = true;
    return out;
  }
  if (options.insecure) return Credentials{};
  return fail(Errc::refused,
              fmt::format("{} is another machine, and the key of its server is not known here. On that "
                          "machine, server-sync --invite NAME prints a line to be typed here. Or say "
                          "--server-key KEY; with --insecure, anybody on the way can read and change what is "
                          "sent",
                          options.host));
}

std::string explain_refusal(const SocketAddress& server, const Credentials& credentials, bool is_denied,
                            const std::string& reason) {
  const std::string where = text_of(server);
  if (credentials.is_stranger) {
    const auto listener = ask_listener(end_of(server));
    if (::geteuid() == 0 && listener && listener->uid != 0) {
      return fmt::format(
          "the server at {} belongs to {}, who could read all that root sends: say --server-key if that is "
          "right",
          where, user_text(listener->uid));
    }
    const std::string whose =
        listener && listener->uid != ::geteuid()
            ? fmt::format("the server at {} belongs to {}", where, user_text(listener->uid))
            : fmt::format("the server at {} left nothing that lets this program in", where);
    return whose + ": without a key, it takes clients of its own user and root only";
  }
  if (credentials.kind != Security::Kind::keys) return fmt::format("{}: {}", where, reason);
  if (is_denied) {
    return fmt::format("{}: the server does not know the key of this client ({}), or not any more", where,
                       fingerprint(credentials.own->public_key));
  }
  return fmt::format(
      "{}: {}; or its key is not {} any more, which is the one known here; or it has refused this address "
      "too "
      "often, and says nothing for a minute",
      where, reason, fingerprint(credentials.server));
}

}  // namespace ssync::net
