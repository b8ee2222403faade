// The connections of a server's socket, from when they are accepted: also those that have said nothing, which
// no message tells of. A stranger can open them as fast as he likes; what is open stays below what this
// process has descriptors for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include <zmq.hpp>

#include "ssync/base/clock.h"
#include "ssync/base/result.h"

#include "backlog.h"
#include "connection.h"
#include "context.h"
#include "socket_events.h"
#include "socket_poll.h"

namespace ssync::net {

/// Of one socket. The thread that owns it.
class Arrivals {
 public:
  /// Starts to watch `socket`, which is not bound yet and outlives this object. `handshake_bytes`: a
  /// connection that was sent so many is through its handshake (libzmq does not say of which one it tells
  /// that).
  [[nodiscard]] static Result<Arrivals> attach(Context::Impl& context, zmq::socket_t& socket,
                                               std::uint64_t handshake_bytes);
  Arrivals(Arrivals&& other) noexcept;
  Arrivals& operator=(Arrivals&&) = delete;
  ~Arrivals();

  /// Its place in a zmq_poll.
  [[nodiscard]] zmq_pollitem_t item() noexcept { return {events_.handle(), 0, ZMQ_POLLIN, 0}; }
  /// Its place in a SocketPoll, where it is used at all only when it is readable.
  [[nodiscard]] PolledSocket& polled() noexcept { return polled_; }
  /// Takes what the monitor has to say. Errors: as receive().
  [[nodiscard]] Result<void> drain(SteadyTime now);

  /// All that are open, with those that were broken in here and are not closed yet.
  [[nodiscard]] std::size_t count() const noexcept { return by_fd_.size(); }
  [[nodiscard]] std::size_t shut_count() const noexcept { return shut_; }
  /// Breaks the connection that has been in its handshake for the longest time. False: none is.
  bool shut_oldest_handshake();
  /// Breaks the newest one. False: there is none.
  bool shut_newest();
  /// A message has come out of this connection.
  void taken(int fd, const Multipart& message) noexcept;
  struct Backlogs {
    std::uint64_t bytes = 0;  ///< of all that are open
    bool any_much = false;
    std::size_t shut = 0;
  };
  /// Asks what the connections have received and not delivered, and breaks those that have more than `max`.
  Backlogs look_at_backlogs(BacklogTimer::Look look, std::uint64_t max);
  /// Breaks the connection that had most at the last look. False: none has anything.
  bool shut_most_backlog();
  /// Breaks those that are there since before `before` and said nothing: `has_spoken` is asked for each, by
  /// descriptor. Returns how many.
  template <typename HasSpoken>
  std::size_t shut_silent(SteadyTime before, HasSpoken has_spoken) {
    std::size_t shut = 0;
    for (Arrival& arrival : order_) {
      if (arrival.since > before) break;
      if (arrival.is_shut || arrival.has_spoken) continue;
      arrival.has_spoken = has_spoken(arrival.connection.fd());
      if (!arrival.has_spoken && shut_down(arrival)) ++shut;
    }
    return shut;
  }
  /// No new connections until it is said again: the kernel drops what would make one, and its maker tries
  /// again.
  void accept(bool on) noexcept;

 private:
  struct Arrival {
    Connection connection;
    SteadyTime since;
    bool is_through = false;  ///< known to have finished its handshake
    bool has_spoken = false;  ///< known to have said something after it
    bool is_shut = false;
    Backlog backlog{};
  };

  Arrivals(zmq::socket_t& watched, zmq::socket_t events, std::uint64_t handshake_bytes)
      : watched_(&watched), events_(std::move(events)), polled_(events_), handshake_bytes_(handshake_bytes) {}
  void on_event(const SocketEvent& event, SteadyTime now);
  bool shut_down(Arrival& arrival) noexcept;
  void forget(std::list<Arrival>::iterator arrival);

  zmq::socket_t* watched_;
  zmq::socket_t events_;
  PolledSocket polled_;
  std::uint64_t handshake_bytes_;
  std::vector<int> listeners_;
  bool accepts_ = true;
  std::size_t shut_ = 0;
  std::list<Arrival> order_;  ///< the oldest first
  std::unordered_map<int, std::list<Arrival>::iterator> by_fd_;
};

/// Breaks connections of these until there are no more than `max` together: those that have been in their
/// handshake for the longest time, and where there are none the newest. When they come faster than they can
/// be broken, no new ones are accepted for a while. Returns whether there were more than `max`.
bool keep_below(std::span<Arrivals* const> all, std::size_t max);

}  // namespace ssync::net
