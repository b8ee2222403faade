#include "connection_watch.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "frames.h"

namespace ssync::net {
namespace {

constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

}  // namespace

Result<ConnectionWatch> ConnectionWatch::attach(Context::Impl& context, zmq::socket_t& socket) {
  const std::string endpoint = fmt::format("inproc://ssync-watch-{}", ++context.watches);
  try {
    if (zmq_socket_monitor(socket.handle(), endpoint.c_str(), kEvents) != 0) throw zmq::error_t();
    zmq::socket_t events(context.zmq, zmq::socket_type::pair);
    events.set(zmq::sockopt::linger, 0);
    events.connect(endpoint);
    return ConnectionWatch(socket, std::move(events));
  } catch (const zmq::error_t& error) {
    return fail(zmq_failure("watching a connection", error.num()));
  }
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
  if (watched_ != nullptr) zmq_socket_monitor(watched_->handle(), nullptr, 0);
}

Result<void> ConnectionWatch::drain() {
  Multipart event;
  while (true) {
    SSYNC_TRY(const bool any, receive(events_, event));
    if (!any) {
      polled_.found_empty();
      return {};
    }
    polled_.used();
    const zmq::message_t& frame = event.frames[0];
    std::uint16_t number = 0;
    std::uint32_t value = 0;
    if (frame.size() != sizeof number + sizeof value) continue;
    std::memcpy(&number, frame.data(), sizeof number);
    std::memcpy(&value, static_cast<const char*>(frame.data()) + sizeof number, sizeof value);
    on_event(number, value);
  }
}

void ConnectionWatch::on_event(std::uint16_t event, std::uint32_t value) {
  switch (event) {
    case ZMQ_EVENT_CONNECTED:
      fd_ = static_cast<int>(value);
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
