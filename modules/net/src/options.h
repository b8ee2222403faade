// Socket options: the countermeasures to what libzmq does by default. proto-spec/09 gives the reason for
// each.
#pragma once

#include <cstddef>
#include <cstdint>

#include <zmq.hpp>

#include "ssync/base/result.h"
#include "ssync/base/secret.h"
#include "ssync/net/keys.h"

#include "context.h"

namespace ssync::net {

enum class Channel : std::uint8_t { control, data };
enum class Ipv6 : bool { off, on };

/// The domains of the sockets that ask for admission.
inline constexpr const char* kSyncDomain = "sync";
inline constexpr const char* kTapDomain = "tap";

/// What both ends of a connection show each other. All borrowed.
struct Security {
  enum class Kind : std::uint8_t {
    none,    ///< NULL: nothing
    secret,  ///< PLAIN: the client shows a secret; nothing is encrypted
    keys,    ///< CURVE
  };
  Kind kind = Kind::none;
  const Secret* secret = nullptr;     ///< a client's, with Kind::secret
  const KeyPair* own = nullptr;       ///< Kind::keys
  const PublicKey* server = nullptr;  ///< a client's, with Kind::keys: what the server must prove to have
};

[[nodiscard]] Result<zmq::socket_t> make_router(Context::Impl& context, Channel channel, Ipv6 ipv6,
                                                const Security& security);
[[nodiscard]] Result<zmq::socket_t> make_dealer(Context::Impl& context, Channel channel, Ipv6 ipv6,
                                                const Security& security);
[[nodiscard]] Result<zmq::socket_t> make_xpub(Context::Impl& context, Ipv6 ipv6, const Security& security);
[[nodiscard]] Result<zmq::socket_t> make_sub(Context::Impl& context, Ipv6 ipv6, const Security& security);

}  // namespace ssync::net
