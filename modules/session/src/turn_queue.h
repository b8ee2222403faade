// Who waits for which mirror, and whose turn it is.
//
// A client that must wait has a place. While its hello is here, unanswered, it can be let in at once; between
// `wait` and its next hello it cannot. So that a turn is not lost to who is just coming back, nor kept for
// who never will, it is kept for `recall`; then clients behind it may go first until it is back.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ssync/session/server.h"

namespace ssync::session::server {

/// Of a place; they ascend in the order of the first hellos.
using Ticket = std::uint64_t;

struct HeldHello {
  std::uint32_t seq = 0;
  wire::Hello hello;
};

struct QueuedClient {
  std::string mirror;
  wire::ClientId client{};
  Peer peer = 0;                  ///< where it said hello last
  std::optional<HeldHello> held;  ///< its hello, when it has no reply yet
  Time due;                       ///< held: when `wait` must be said; else when the place lapses
  std::optional<Time> called;     ///< its turn came while no hello was held
  bool passed_over = false;       ///< and it did not come in time
};

/// Why a client waits.
struct Standing {
  enum class Why : std::uint8_t { mirror_taken, others_first, server_full };
  Why why = Why::mirror_taken;
  std::size_t place = 0;  ///< in its queue, from 1: the mirror's or, when that is free, the server's
  std::size_t total = 0;  ///< clients in that queue
};

class TurnQueue {
 public:
  /// `config` outlives it.
  explicit TurnQueue(const Config& config) : config_(config) {}

  struct Arrival {
    Ticket ticket = 0;
    bool first = false;                  ///< it has no place from before
    std::optional<QueuedClient> before;  ///< what it left on another connection
  };
  /// A client says hello: it has a place now, and its hello is held. A place of this peer at another mirror,
  /// or under another client's id, is given up.
  [[nodiscard]] Arrival arrive(Peer peer, std::uint32_t seq, wire::Hello hello, Time now);
  /// More wait than may, in all or for its mirror.
  [[nodiscard]] bool is_crowded(Ticket ticket) const;
  /// More is held than may be.
  [[nodiscard]] bool holds_too_much() const { return held_bytes_ > config_.held_bytes_max; }
  [[nodiscard]] const QueuedClient* find(Ticket ticket) const;
  [[nodiscard]] const QueuedClient* of(Peer peer) const;
  [[nodiscard]] Standing standing(Ticket ticket) const;
  /// Its hello gets a reply: the number to reply to. Requires: it is held.
  [[nodiscard]] std::uint32_t answer(Ticket ticket, Time now);

  /// It gives up its place.
  std::optional<QueuedClient> leave(Peer peer);
  /// So do all who wait for this mirror.
  [[nodiscard]] std::vector<QueuedClient> dissolve(const std::string& mirror);
  [[nodiscard]] std::vector<QueuedClient> dissolve();
  /// Forgets places that lapsed. Whose hello was held long enough: answer() them.
  [[nodiscard]] std::vector<Ticket> tick(Time now);
  /// The next client that can be let in now, with its hello; its mirror is taken from here on.
  [[nodiscard]] std::optional<QueuedClient> next_turn(Time now);
  /// The sync on this mirror is over.
  void release(const std::string& mirror);

  [[nodiscard]] Time next_deadline() const;
  [[nodiscard]] std::size_t size() const { return clients_.size(); }

 private:
  struct Queue {
    bool taken = false;
    std::set<Ticket> tickets;
    Ticket next = 0;  ///< who has the turn here while the mirror is free; 0: nobody
  };

  [[nodiscard]] Ticket ticket_of(const std::string& mirror, const wire::ClientId& client) const;
  void hold(Ticket ticket, Peer peer, std::uint32_t seq, wire::Hello hello, Time now);
  void set_due(Ticket ticket, Time due);
  [[nodiscard]] QueuedClient remove(Ticket ticket);
  /// False while the turn is kept for this client, whose hello is not here; then others go first.
  [[nodiscard]] bool pass_over(Ticket ticket, Time now);
  /// After any change of a queue or its places.
  void update(const std::string& mirror);

  const Config& config_;
  std::unordered_map<Ticket, QueuedClient> clients_;
  std::unordered_map<Peer, Ticket> by_peer_;
  std::unordered_map<std::string, Queue> queues_;  ///< of mirrors that are taken or waited for
  std::set<Ticket> ready_;                         ///< the next of each queue
  std::set<std::pair<Time, Ticket>> dues_;
  Time recall_at_ = Time::max();  ///< a turn is kept until then
  std::size_t taken_ = 0;
  std::size_t held_bytes_ = 0;
  Ticket last_ = 0;
};

}  // namespace ssync::session::server
