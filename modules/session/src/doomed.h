// Peers that are to be disconnected when they had time to read why. Until then every request is answered, as
// it may have been on its way before they read it.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "ssync/session/server.h"

namespace ssync::session::server {

struct Doomed {
  Time at;
  wire::ErrorReply last_word;  ///< the reply to whatever still comes
  bool listing = false;        ///< it asked for the mirrors, and may go on asking
};

class DoomedPeers {
 public:
  /// The first word is the last: a peer that is doomed already stays so.
  void add(Peer peer, Doomed doomed);
  [[nodiscard]] const Doomed* find(Peer peer) const;
  void forget(Peer peer);
  /// Takes those whose time has come, in its order.
  void kick(Effects& out, Time now);
  [[nodiscard]] Time next_deadline() const { return order_.empty() ? Time::max() : order_.begin()->first; }

 private:
  std::unordered_map<Peer, Doomed> peers_;
  std::set<std::pair<Time, Peer>> order_;
};

}  // namespace ssync::session::server
