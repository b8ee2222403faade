#include "options.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "ssync/base/text.h"
#include "ssync/wire/limits.h"

#include "frames.h"

namespace ssync::net {
namespace {

constexpr int kHandshakeMs = 5000;
constexpr int kConnectMs = 5000;
constexpr int kTapMessages = 4096;

constexpr std::int64_t kControlFrameMax = std::max(wire::kHeadBytesMax, wire::kBodyBytesMax);
constexpr std::int64_t kDataFrameMax = std::max(wire::kChunkBytesMax, wire::kTableBytesMax);
constexpr std::int64_t kSubscriptionMax = 256;
constexpr std::int64_t kTapRecordMax = 256 * 1024;
/// What CURVE adds to each frame: name and nonce of the command, its seal, and a byte of flags (RFC 26).
constexpr std::int64_t kCurveBytes = 8 + 8 + 16 + 1;

constexpr std::int64_t overhead(Security::Kind kind) noexcept {
  return kind == Security::Kind::keys ? kCurveBytes : 0;
}

constexpr std::string_view kPlainUser = "local";

/// Makes the socket and applies `set`; cppzmq throws, callers do not want that.
template <typename Set>
Result<zmq::socket_t> make(Context::Impl& context, zmq::socket_type type, Set set) {
  try {
    zmq::socket_t socket(context.zmq, type);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
    set(socket);
    return socket;
  } catch (const zmq::error_t& error) {
    return fail(zmq_failure("making a socket", error.num()));
  }
}

void set_tcp(zmq::socket_t& socket, Context::Impl& context, Channel channel, Ipv6 ipv6,
             Security::Kind security) {
  const bool control = channel == Channel::control;
  socket.set(zmq::sockopt::affinity, control ? context.control_affinity() : context.data_affinity());
  // Unlimited, because a pipe that fills lets a peer end the process with a reset (a failed assertion in
  // libzmq) and bounds nothing anyway: credit and the list window do. The owner drains promptly.
  socket.set(zmq::sockopt::rcvhwm, 0);
  socket.set(zmq::sockopt::maxmsgsize, (control ? kControlFrameMax : kDataFrameMax) + overhead(security));
  // No ZMTP heartbeats (false alarms and another assertion); the kernel finds dead peers, the protocol silent
  // ones.
  socket.set(zmq::sockopt::heartbeat_ivl, 0);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 15);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 5);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
  socket.set(zmq::sockopt::tcp_maxrt, 20000);
  // Without a domain libzmq asks nobody about peers that show nothing, and speaks ZMTP 1 and 2 with them.
  socket.set(zmq::sockopt::zap_domain, kSyncDomain);
  socket.set(zmq::sockopt::ipv6, ipv6 == Ipv6::on ? 1 : 0);
}

void set(zmq::socket_t& socket, int option, const void* value, std::size_t size) {
  if (zmq_setsockopt(socket.handle(), option, value, size) != 0) throw zmq::error_t();
}

void set_own_key(zmq::socket_t& socket, const KeyPair& own) {
  set(socket, ZMQ_CURVE_PUBLICKEY, own.public_key.bytes.data(), PublicKey::kBytes);
  set(socket, ZMQ_CURVE_SECRETKEY, own.secret.bytes().data(), Secret::kBytes);
}

void set_server_side(zmq::socket_t& socket, const Security& security) {
  const int on = 1;
  if (security.kind == Security::Kind::secret) set(socket, ZMQ_PLAIN_SERVER, &on, sizeof on);
  if (security.kind != Security::Kind::keys) return;
  set(socket, ZMQ_CURVE_SERVER, &on, sizeof on);
  set_own_key(socket, *security.own);
}

void set_client_side(zmq::socket_t& socket, const Security& security) {
  if (security.kind == Security::Kind::secret) {
    std::string digits = to_hex(security.secret->bytes());
    const Wiper wiper(std::as_writable_bytes(std::span(digits)));
    set(socket, ZMQ_PLAIN_USERNAME, kPlainUser.data(), kPlainUser.size());
    set(socket, ZMQ_PLAIN_PASSWORD, digits.data(), digits.size());
  }
  if (security.kind != Security::Kind::keys) return;
  set(socket, ZMQ_CURVE_SERVERKEY, security.server->bytes.data(), PublicKey::kBytes);
  set_own_key(socket, *security.own);
}

}  // namespace

Result<zmq::socket_t> make_router(Context::Impl& context, Channel channel, Ipv6 ipv6,
                                  const Security& security) {
  return make(context, zmq::socket_type::router, [&](zmq::socket_t& socket) {
    set_tcp(socket, context, channel, ipv6, security.kind);
    set_server_side(socket, security);
    socket.set(zmq::sockopt::sndhwm, 256);
    socket.set(zmq::sockopt::backlog, 256);
    socket.set(zmq::sockopt::router_mandatory, 1);
    // Without it a second peer with the same id is parked: invisible, and its memory is never freed.
    socket.set(zmq::sockopt::router_handover, 1);
  });
}

Result<zmq::socket_t> make_dealer(Context::Impl& context, Channel channel, Ipv6 ipv6,
                                  const Security& security) {
  return make(context, zmq::socket_type::dealer, [&](zmq::socket_t& socket) {
    set_tcp(socket, context, channel, ipv6, security.kind);
    set_client_side(socket, security);
    socket.set(zmq::sockopt::sndhwm, channel == Channel::control ? 256 : 64);
    // One socket is one session: a reconnect would replay stale messages into a restarted server.
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::immediate, 1);
    socket.set(zmq::sockopt::connect_timeout, kConnectMs);
  });
}

Result<zmq::socket_t> make_xpub(Context::Impl& context, Ipv6 ipv6, const Security& security) {
  return make(context, zmq::socket_type::xpub, [&](zmq::socket_t& socket) {
    if (security.kind != Security::Kind::none) socket.set(zmq::sockopt::zap_domain, kTapDomain);
    socket.set(zmq::sockopt::ipv6, ipv6 == Ipv6::on ? 1 : 0);
    set_server_side(socket, security);
    socket.set(zmq::sockopt::rcvhwm, 0);  // as in set_tcp(): subscriptions come in by it
    socket.set(zmq::sockopt::sndhwm, kTapMessages);
    socket.set(zmq::sockopt::maxmsgsize, kSubscriptionMax + overhead(security.kind));
  });
}

Result<zmq::socket_t> make_sub(Context::Impl& context, Ipv6 ipv6, const Security& security) {
  return make(context, zmq::socket_type::sub, [&](zmq::socket_t& socket) {
    set_client_side(socket, security);
    // Bounded here: a monitor whose output is stopped must not gather the traffic in memory. The publisher
    // drops.
    socket.set(zmq::sockopt::rcvhwm, kTapMessages);
    socket.set(zmq::sockopt::maxmsgsize, kTapRecordMax + overhead(security.kind));
    socket.set(zmq::sockopt::ipv6, ipv6 == Ipv6::on ? 1 : 0);
    socket.set(zmq::sockopt::reconnect_ivl, 200);
    socket.set(zmq::sockopt::reconnect_ivl_max, 2000);
    socket.set(zmq::sockopt::subscribe, "");
  });
}

}  // namespace ssync::net
