#include "doomed.h"

namespace ssync::session::server {

void DoomedPeers::add(Peer peer, Doomed doomed) {
  if (peers_.contains(peer)) return;
  order_.emplace(doomed.at, peer);
  peers_.emplace(peer, std::move(doomed));
}

const Doomed* DoomedPeers::find(Peer peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

void DoomedPeers::forget(Peer peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  order_.erase({found->second.at, peer});
  peers_.erase(found);
}

void DoomedPeers::kick(Effects& out, Time now) {
  while (!order_.empty() && order_.begin()->first <= now) {
    const Peer peer = order_.begin()->second;
    out.push_back(Kick{peer, std::move(peers_.at(peer).last_word.text)});
    forget(peer);
  }
}

}  // namespace ssync::session::server
