#include "options.h"

#include <algorithm>

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

void set_tcp(zmq::socket_t& socket, Context::Impl& context, Channel channel, Ipv6 ipv6) {
  const bool control = channel == Channel::control;
  socket.set(zmq::sockopt::affinity, control ? context.control_affinity() : context.data_affinity());
  // Unlimited, because a pipe that fills lets a peer end the process with a reset (a failed assertion in
  // libzmq) and bounds nothing anyway: credit and the list window do. The owner drains promptly.
  socket.set(zmq::sockopt::rcvhwm, 0);
  socket.set(zmq::sockopt::maxmsgsize, control ? kControlFrameMax : kDataFrameMax);
  // No ZMTP heartbeats (false alarms and another assertion); the kernel finds dead peers, the protocol silent
  // ones.
  socket.set(zmq::sockopt::heartbeat_ivl, 0);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 15);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 5);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
  socket.set(zmq::sockopt::tcp_maxrt, 20000);
  // Nobody answers for the domain; that it is set closes libzmq's ZMTP 1 and 2 code.
  socket.set(zmq::sockopt::zap_domain, "sync");
  socket.set(zmq::sockopt::ipv6, ipv6 == Ipv6::on ? 1 : 0);
}

}  // namespace

Result<zmq::socket_t> make_router(Context::Impl& context, Channel channel, Ipv6 ipv6) {
  return make(context, zmq::socket_type::router, [&](zmq::socket_t& socket) {
    set_tcp(socket, context, channel, ipv6);
    socket.set(zmq::sockopt::sndhwm, 256);
    socket.set(zmq::sockopt::backlog, 256);
    socket.set(zmq::sockopt::router_mandatory, 1);
    // Without it a second peer with the same id is parked: invisible, and its memory is never freed.
    socket.set(zmq::sockopt::router_handover, 1);
  });
}

Result<zmq::socket_t> make_dealer(Context::Impl& context, Channel channel, Ipv6 ipv6) {
  return make(context, zmq::socket_type::dealer, [&](zmq::socket_t& socket) {
    set_tcp(socket, context, channel, ipv6);
    socket.set(zmq::sockopt::sndhwm, channel == Channel::control ? 256 : 64);
    // One socket is one session: a reconnect would replay stale messages into a restarted server.
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::immediate, 1);
    socket.set(zmq::sockopt::connect_timeout, kConnectMs);
  });
}

Result<zmq::socket_t> make_xpub(Context::Impl& context) {
  return make(context, zmq::socket_type::xpub, [](zmq::socket_t& socket) {
    socket.set(zmq::sockopt::sndhwm, kTapMessages);
    socket.set(zmq::sockopt::maxmsgsize, kSubscriptionMax);
  });
}

Result<zmq::socket_t> make_sub(Context::Impl& context) {
  return make(context, zmq::socket_type::sub, [](zmq::socket_t& socket) {
    // Bounded here: a monitor whose output is stopped must not gather the traffic in memory. The publisher
    // drops.
    socket.set(zmq::sockopt::rcvhwm, kTapMessages);
    socket.set(zmq::sockopt::maxmsgsize, kTapRecordMax);
    socket.set(zmq::sockopt::reconnect_ivl, 200);
    socket.set(zmq::sockopt::reconnect_ivl_max, 2000);
    socket.set(zmq::sockopt::subscribe, "");
  });
}

}  // namespace ssync::net
