// What zmq_poll does, for sockets that one thread uses all the time: with fewer system calls.
//
// A socket's descriptor (ZMQ_FD) is readable from when another thread leaves word in the socket's mailbox
// until a call on the socket reads it there. zmq_poll therefore asks every socket before and after it polls,
// at two system calls each. Here a socket is asked only when its descriptor is readable, or when a call on it
// may have read the word since it was asked last. Source: zmq_getsockopt(3), ZMQ_FD and ZMQ_EVENTS.
#pragma once

#include <poll.h>

#include <chrono>
#include <span>
#include <vector>

#include <zmq.hpp>

#include "ssync/base/result.h"

namespace ssync::net {

/// A socket's place in a poll. Does not own the socket, which stays where it is.
class PolledSocket {
 public:
  explicit PolledSocket(zmq::socket_t& socket) noexcept : socket_(&socket) {}

  /// Tell of each call on the socket: sent, or received something.
  void used() noexcept { used_ = true; }
  /// Tell when receiving found nothing: then the mailbox is empty too.
  void found_empty() noexcept { used_ = false; }

  [[nodiscard]] bool readable() const noexcept { return (ready_ & ZMQ_POLLIN) != 0; }
  [[nodiscard]] bool writable() const noexcept { return (ready_ & ZMQ_POLLOUT) != 0; }

 private:
  friend class SocketPoll;
  [[nodiscard]] Result<void> ask(short wanted);

  zmq::socket_t* socket_;
  int fd_ = -1;
  short ready_ = 0;   ///< of what is wanted
  bool used_ = true;  ///< its state may have changed without its descriptor telling
};

/// Kept between polls for its memory only.
class SocketPoll {
 public:
  struct Item {
    PolledSocket* socket = nullptr;
    short wanted = ZMQ_POLLIN;  ///< ZMQ_POLLIN, ZMQ_POLLOUT, or nothing
  };
  /// Until a socket is ready, one of `fds` is readable, or the deadline passed; over EINTR. `readable` gets
  /// one for each of `fds`. Errors: as receive().
  [[nodiscard]] Result<void> wait(std::span<const Item> sockets, std::span<const int> fds,
                                  std::chrono::steady_clock::time_point deadline,
                                  std::vector<bool>& readable);

 private:
  std::vector<pollfd> items_;
};

}  // namespace ssync::net
