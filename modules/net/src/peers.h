// Who is connected to a server: routing ids, which only net sees, to the numbers that the rest of the program
// uses.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <zmq.hpp>

#include "ssync/base/clock.h"
#include "ssync/net/transport.h"

#include "connection.h"

namespace ssync::net {

struct Peer {
  PeerId id = 0;
  ServerTransport::Socket socket = ServerTransport::Socket::control;
  std::string routing_id;
  Connection connection;
  std::string user_id;  ///< as the answer to its handshake has it
  Identity identity;
  /// Frames of its last request before the head, ending in the empty one; the reply repeats them (RFC 28).
  std::vector<std::string> envelope;
  std::optional<Label> label{};
  /// Kicked, refused or gone: what is still queued from it is dropped, nothing is sent to it.
  bool closed = false;
  SteadyTime closed_at{};
};

/// Owner thread only. Peers that are closed are kept for a while, because messages of theirs may still be
/// queued.
class Peers {
 public:
  using Socket = ServerTransport::Socket;

  /// The peer that a message of this socket came from; null when it is not in the table. Valid until the next
  /// sweep().
  [[nodiscard]] Peer* find(Socket socket, std::string_view routing_id);
  [[nodiscard]] Peer* find(PeerId id);
  [[nodiscard]] const Peer* find(PeerId id) const;
  [[nodiscard]] std::vector<PeerId> open() const;
  /// An open peer of this socket has this descriptor. Looks at all of them.
  [[nodiscard]] bool has(Socket socket, int fd) const;
  /// An open peer on just this connection. Looks at all of them.
  [[nodiscard]] Peer* find(const Connection& connection);
  [[nodiscard]] Peer& add(Socket socket, std::string_view routing_id, Connection connection);

  /// Marks peers whose connection has ended and forgets those closed some time ago. Returns those newly found
  /// closed.
  [[nodiscard]] std::vector<const Peer*> sweep(SteadyTime now);
  static void close(Peer& peer, SteadyTime now) noexcept;

 private:
  struct Key {
    Socket socket = Socket::control;
    std::string routing_id;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string>{}(key.routing_id) * 2 + static_cast<std::size_t>(key.socket);
    }
  };

  std::unordered_map<PeerId, Peer> peers_;
  std::unordered_map<Key, PeerId, Hash> ids_;
  PeerId last_ = 0;
};

}  // namespace ssync::net
