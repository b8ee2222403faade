// What becomes of the one connection of a client's socket, from libzmq's socket monitor.
//
// The monitor's events come over an inproc pair into which the I/O thread writes, blocking when it is full:
// it must be connected before the watched socket is, and drained. A socket that never reconnects makes a
// handful of events in its life.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <zmq.hpp>

#include "ssync/base/result.h"

#include "context.h"
#include "socket_events.h"
#include "socket_poll.h"

namespace ssync::net {

class ConnectionWatch {
 public:
  enum class State : std::uint8_t { connecting, connected, ended };

  /// Starts to watch `socket`, which is not connected yet and outlives this object.
  [[nodiscard]] static Result<ConnectionWatch> attach(Context::Impl& context, zmq::socket_t& socket);
  ConnectionWatch(ConnectionWatch&& other) noexcept;
  ConnectionWatch& operator=(ConnectionWatch&&) = delete;
  ~ConnectionWatch();

  /// Takes what the monitor has to say. Errors: as receive().
  [[nodiscard]] Result<void> drain();
  [[nodiscard]] State state() const noexcept { return state_; }
  /// The connection was made at all: what ended it came from the other end.
  [[nodiscard]] bool was_open() const noexcept { return fd_ >= 0; }
  /// Its handshake succeeded, whatever came later.
  [[nodiscard]] bool was_connected() const noexcept { return was_connected_; }
  /// The connection's descriptor, libzmq's own; for looking at it. Negative before there is one.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Why it ended, as far as libzmq tells; empty when it says nothing, as for a refused connection.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  /// The server said no to what was shown to it.
  [[nodiscard]] bool is_denied() const noexcept { return denied_; }
  /// Its place in a poll, where it is used at all only when it is readable.
  [[nodiscard]] PolledSocket& polled() noexcept { return polled_; }

 private:
  ConnectionWatch(zmq::socket_t& watched, zmq::socket_t events)
      : watched_(&watched), events_(std::move(events)), polled_(events_) {}
  void on_event(const SocketEvent& event);
  void end(std::string reason);

  zmq::socket_t* watched_;
  zmq::socket_t events_;
  PolledSocket polled_;
  State state_ = State::connecting;
  int fd_ = -1;
  bool was_connected_ = false;
  bool denied_ = false;
  std::string reason_;
};

}  // namespace ssync::net
