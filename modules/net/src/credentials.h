// What a client shows to the server at an address, and what it asks of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ssync/base/result.h"
#include "ssync/net/transport.h"

#include "address.h"
#include "options.h"

namespace ssync::net {

struct Credentials {
  Security::Kind kind = Security::Kind::none;
  Secret secret;
  std::shared_ptr<const KeyPair> own;
  PublicKey server;
  /// Nothing was found that the server left for this user: it will refuse.
  bool is_stranger = false;

  /// Without keys, the server is who it is because its user is this one, or root.
  [[nodiscard]] bool proves_server() const noexcept { return kind == Security::Kind::keys; }
  [[nodiscard]] Security security() const noexcept { return {kind, &secret, own.get(), &server}; }
};

/// For this address and control port. Looks at files: may block. Errors: Errc::refused for a server on
/// another machine without a known key; find_local_access(), Options::own_key.
[[nodiscard]] Result<Credentials> credentials_for(const SocketAddress& server,
                                                  const ClientTransport::Options& options);

/// Why a handshake with these failed, `reason` being what libzmq said, as a sentence that begins with the
/// address.
[[nodiscard]] std::string explain_refusal(const SocketAddress& server, const Credentials& credentials,
                                          bool is_denied, const std::string& reason);

}  // namespace ssync::net
