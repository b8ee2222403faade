#include "connection_watch.h"

#include <utility>

namespace ssync::net {
namespace {

constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

}  // namespace

Result<ConnectionWatch> ConnectionWatch::attach(Context::Impl& context, zmq::socket_t& socket) {
  SSYNC_TRY(zmq::socket_t events, watch_events(context, socket, kEvents));
  return ConnectionWatch(socket, std::move(events));
}

ConnectionWatch::ConnectionWatch(ConnectionWatch&& other) noexcept
    : watched_(std::exchange(other.watched_, nullptr)),
      events_(std::move(other.events_)),
      polled_(events_),
      state_(other.state_),
      fd_(other.fd_),
      was_connected_(other.was_connected_),
      denied_(other.denied_),
      reason_(std::move(other.reason_)) {}

ConnectionWatch::~ConnectionWatch() {
  // Stop the writer first: an event for a pair that is gone would block the I/O thread.
  if (watched_ != nullptr) stop_events(*watched_);
}

Result<void> ConnectionWatch::drain() {
  return take_events(events_, polled_, [this](const SocketEvent& event) { on_event(event); });
}

void ConnectionWatch::on_event(const SocketEvent& event) {
  switch (event.number) {
    case ZMQ_EVENT_CONNECTED:
      fd_ = event.value;
      break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      if (state_ == State::connecting) state_ = State::connected;
      was_connected_ = true;
      break;
    case ZMQ_EVENT_CLOSED:
      end({});
      break;
    case ZMQ_EVENT_DISCONNECTED:
      end(state_ == State::connected ? "the server closed the connection"
                                     : "the other end closed the connection at once");
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      denied_ = true;
      end("the server denies access");
      break;
    default:
      end("what answers there does not speak this protocol, or is stopped");
      break;
  }
}

/// The first reason holds: a failed handshake is followed by a disconnection.
void ConnectionWatch::end(std::string reason) {
  if (state_ == State::ended) return;
  state_ = State::ended;
  reason_ = std::move(reason);
}

}  // namespace ssync::net
