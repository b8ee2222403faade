#include "waiting_room.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "ssync/base/assert.h"

namespace ssync::session::server {
namespace {

std::size_t bytes_of(const wire::Hello& hello) {
  return sizeof hello + hello.program.size() + hello.source_id.size() + hello.mirror.size() +
         hello.ancestry.size() * sizeof(wire::NodeId);
}

}  // namespace

WaitingRoom::Arrival WaitingRoom::arrive(Peer peer, std::uint32_t seq, wire::Hello hello, Time now) {
  Arrival arrival;
  arrival.ticket = ticket_of(hello.mirror, hello.client);
  if (const auto here = by_peer_.find(peer); here != by_peer_.end() && here->second != arrival.ticket)
    static_cast<void>(remove(here->second));
  if (arrival.ticket == 0) {
    arrival.first = true;
    arrival.ticket = ++last_;
    Place& place = places_[arrival.ticket];
    place.mirror = hello.mirror;
    place.client = hello.client;
    queues_[hello.mirror].tickets.insert(arrival.ticket);
  } else if (Place& place = places_.at(arrival.ticket); place.peer != peer) {
    by_peer_.erase(place.peer);
    arrival.before = Place{place.mirror, place.client, place.peer, std::nullopt, {}, {}, false};
    if (place.held) {
      held_bytes_ -= bytes_of(place.held->hello);
      arrival.before->held = *std::exchange(place.held, std::nullopt);
    }
  }
  hold(arrival.ticket, peer, seq, std::move(hello), now);
  return arrival;
}

Ticket WaitingRoom::ticket_of(const std::string& mirror, const wire::ClientId& client) const {
  const auto queue = queues_.find(mirror);
  if (queue == queues_.end()) return 0;
  const auto& tickets = queue->second.tickets;  // mirror_waiting_max at most
  const auto found = std::find_if(tickets.begin(), tickets.end(),
                                  [&](Ticket ticket) { return places_.at(ticket).client == client; });
  return found == tickets.end() ? 0 : *found;
}

void WaitingRoom::hold(Ticket ticket, Peer peer, std::uint32_t seq, wire::Hello hello, Time now) {
  Place& place = places_.at(ticket);
  SSYNC_ASSERT(!place.held);
  held_bytes_ += bytes_of(hello);
  place.held = HeldHello{seq, std::move(hello)};
  place.peer = peer;
  place.called.reset();
  place.passed_over = false;
  by_peer_[peer] = ticket;
  set_due(ticket, now + config_.heartbeat);
  update(place.mirror);
}

void WaitingRoom::set_due(Ticket ticket, Time due) {
  Place& place = places_.at(ticket);
  dues_.erase({place.due, ticket});
  place.due = due;
  dues_.emplace(due, ticket);
}

bool WaitingRoom::is_crowded(Ticket ticket) const {
  return places_.size() > config_.waiting_max ||
         queues_.at(places_.at(ticket).mirror).tickets.size() > config_.mirror_waiting_max;
}

const Place* WaitingRoom::find(Ticket ticket) const {
  const auto found = places_.find(ticket);
  return found == places_.end() ? nullptr : &found->second;
}

const Place* WaitingRoom::of(Peer peer) const {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? nullptr : find(found->second);
}

Standing WaitingRoom::standing(Ticket ticket) const {
  const auto place_in = [ticket](const std::set<Ticket>& queue) {
    return static_cast<std::size_t>(std::distance(queue.begin(), queue.find(ticket))) + 1;
  };
  const Queue& queue = queues_.at(places_.at(ticket).mirror);
  if (queue.next == ticket) return {Standing::Why::server_full, place_in(ready_), ready_.size()};
  return {queue.taken ? Standing::Why::mirror_taken : Standing::Why::others_first, place_in(queue.tickets),
          queue.tickets.size()};
}

std::uint32_t WaitingRoom::answer(Ticket ticket, Time now) {
  Place& place = places_.at(ticket);
  SSYNC_ASSERT(place.held);
  held_bytes_ -= bytes_of(place.held->hello);
  const std::uint32_t seq = std::exchange(place.held, std::nullopt)->seq;
  set_due(ticket, now + config_.turn);
  update(place.mirror);
  return seq;
}

std::optional<Place> WaitingRoom::leave(Peer peer) {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return std::nullopt;
  return remove(found->second);
}

std::vector<Place> WaitingRoom::dissolve(const std::string& mirror) {
  std::vector<Place> places;
  for (auto queue = queues_.find(mirror); queue != queues_.end() && !queue->second.tickets.empty();
       queue = queues_.find(mirror))
    places.push_back(remove(*queue->second.tickets.begin()));
  return places;
}

std::vector<Place> WaitingRoom::dissolve() {
  std::vector<Place> places;
  while (!dues_.empty())
    places.push_back(remove(dues_.begin()->second));
  return places;
}

Place WaitingRoom::remove(Ticket ticket) {
  const auto found = places_.find(ticket);
  Place place = std::move(found->second);
  places_.erase(found);
  if (place.held) held_bytes_ -= bytes_of(place.held->hello);
  by_peer_.erase(place.peer);
  dues_.erase({place.due, ticket});
  queues_.at(place.mirror).tickets.erase(ticket);
  update(place.mirror);
  return place;
}

std::vector<Ticket> WaitingRoom::tick(Time now) {
  std::vector<Ticket> held;
  std::vector<Ticket> lapsed;
  for (auto due = dues_.begin(); due != dues_.end() && due->first <= now; ++due)
    (places_.at(due->second).held ? held : lapsed).push_back(due->second);
  for (const Ticket ticket : lapsed)
    static_cast<void>(remove(ticket));
  return held;
}

std::optional<Place> WaitingRoom::next_turn(Time now) {
  recall_at_ = Time::max();
  std::size_t free = config_.syncs_max == 0 ? std::numeric_limits<std::size_t>::max()
                                            : config_.syncs_max - std::min(config_.syncs_max, taken_);
  for (auto next = ready_.begin(); next != ready_.end() && free > 0;) {
    const Ticket ticket = *next;
    if (places_.at(ticket).held) {
      Place place = remove(ticket);
      queues_[place.mirror].taken = true;
      ++taken_;
      update(place.mirror);
      return place;
    }
    if (!pass_over(ticket, now)) --free;  // kept for it
    next = ready_.upper_bound(ticket);    // which may be another client of this mirror now
  }
  return std::nullopt;
}

bool WaitingRoom::pass_over(Ticket ticket, Time now) {
  Place& place = places_.at(ticket);
  if (!place.called) place.called = now;
  const Time until = *place.called + config_.recall;
  if (now < until) {
    recall_at_ = std::min(recall_at_, until);
    return false;
  }
  place.passed_over = true;
  update(place.mirror);
  return true;
}

void WaitingRoom::release(const std::string& mirror) {
  Queue& queue = queues_.at(mirror);
  SSYNC_ASSERT(queue.taken);
  queue.taken = false;
  --taken_;
  update(mirror);
}

void WaitingRoom::update(const std::string& mirror) {
  const auto found = queues_.find(mirror);
  Queue& queue = found->second;
  const auto can_go = [this](Ticket ticket) {
    const Place& place = places_.at(ticket);
    return place.held || !place.passed_over;
  };
  const auto first = std::find_if(queue.tickets.begin(), queue.tickets.end(), can_go);
  const Ticket next = queue.taken || first == queue.tickets.end() ? 0 : *first;
  if (next != queue.next) {
    ready_.erase(queue.next);
    if (next != 0) ready_.insert(next);
    queue.next = next;
  }
  if (!queue.taken && queue.tickets.empty()) queues_.erase(found);
}

Time WaitingRoom::next_deadline() const {
  return dues_.empty() ? recall_at_ : std::min(recall_at_, dues_.begin()->first);
}

}  // namespace ssync::session::server
