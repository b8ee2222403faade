#include "peers.h"

#include <algorithm>
#include <utility>

namespace ssync::net {
namespace {

/// Longer than anything stays in libzmq's queue that the owner drains.
constexpr std::chrono::seconds kRemember{30};

}  // namespace

Peer* Peers::find(Socket socket, std::string_view routing_id) {
  const auto found = ids_.find(Key{socket, std::string(routing_id)});
  return found == ids_.end() ? nullptr : find(found->second);
}

Peer* Peers::find(PeerId id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

const Peer* Peers::find(PeerId id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

std::vector<PeerId> Peers::open() const {
  std::vector<PeerId> out;
  for (const auto& [id, peer] : peers_)
    if (!peer.closed) out.push_back(id);
  return out;
}

bool Peers::has(Socket socket, int fd) const {
  return std::ranges::any_of(peers_, [&](const auto& item) {
    return !item.second.closed && item.second.socket == socket && item.second.connection.fd() == fd;
  });
}

Peer* Peers::find(const Connection& connection) {
  for (auto& [id, peer] : peers_) {
    if (!peer.closed && peer.connection.is_same(connection)) return &peer;
  }
  return nullptr;
}

Peer& Peers::add(Socket socket, std::string_view routing_id, Connection connection) {
  const PeerId id = ++last_;
  ids_[Key{socket, std::string(routing_id)}] = id;
  Peer peer{
      .id = id, .socket = socket, .routing_id = std::string(routing_id), .connection = std::move(connection)};
  return peers_.emplace(id, std::move(peer)).first->second;
}

std::vector<const Peer*> Peers::sweep(SteadyTime now) {
  std::vector<const Peer*> ended;
  for (auto item = peers_.begin(); item != peers_.end();) {
    Peer& peer = item->second;
    if (!peer.closed && !peer.connection.alive()) {
      close(peer, now);
      ended.push_back(&peer);
    }
    if (peer.closed && now - peer.closed_at > kRemember) {
      ids_.erase(Key{peer.socket, peer.routing_id});
      item = peers_.erase(item);
    } else {
      ++item;
    }
  }
  return ended;
}

void Peers::close(Peer& peer, SteadyTime now) noexcept {
  if (peer.closed) return;
  peer.closed = true;
  peer.closed_at = now;
}

}  // namespace ssync::net
