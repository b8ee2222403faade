// A libzmq connection seen from below: its descriptor, and the kernel's number for the socket, which tells
// whether the descriptor still means that connection. The descriptor is libzmq's: looked at and shut down
// here, never closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <zmq.hpp>

namespace ssync::net {

/// What TCP has carried of a connection, in bytes, since it was made.
struct Traffic {
  std::uint64_t sent = 0, received = 0;
};
/// Zeros when the kernel does not say, as of what is no TCP socket.
[[nodiscard]] Traffic traffic_of(int fd) noexcept;

class Connection {
 public:
  /// Of a received frame. Ask the second frame of a multipart: libzmq 4.3.4 loses the first one's properties
  /// when it was polled for. nullopt: closed meanwhile, or the descriptor is another connection's by now.
  [[nodiscard]] static std::optional<Connection> of(const zmq::message_t& frame);
  /// Whatever has this descriptor now; not alive when that is no socket. Its address is not looked up.
  [[nodiscard]] static Connection at(int fd) noexcept;
  /// The frame's descriptor number alone; negative when it has none. Costs no system call.
  [[nodiscard]] static int fd_of(const zmq::message_t& frame) noexcept;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& address() const noexcept { return address_; }  ///< "127.0.0.1:40312"
  [[nodiscard]] bool is_same(const Connection& other) const noexcept {
    return fd_ == other.fd_ && cookie_ == other.cookie_;
  }
  [[nodiscard]] bool alive() const noexcept;
  /// Ends both directions; libzmq then notices and closes it. Does nothing when the connection is gone.
  void shut() const noexcept;

 private:
  Connection(int fd, std::uint64_t cookie, std::string address)
      : fd_(fd), cookie_(cookie), address_(std::move(address)) {}
  int fd_;
  std::uint64_t cookie_;
  std::string address_;
};

}  // namespace ssync::net
