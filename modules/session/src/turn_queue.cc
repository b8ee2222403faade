#include "turn_queue.h"

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

TurnQueue::Arrival TurnQueue::arrive(Peer peer, std::uint32_t seq, wire::Hello hello, Time now) {
  Arrival arrival;
  arrival.ticket = ticket_of(hello.mirror, hello.client);
  if (const auto here = by_peer_.find(peer); here != by_peer_.end() && here->second != arrival.ticket)
    static_cast<void>(remove(here->second));
  if (arrival.ticket == 0) {
    arrival.first = true;
    arrival.ticket = ++last_;
    QueuedClient& queued = clients_[arrival.ticket];
    queued.mirror = hello.mirror;
    queued.client = hello.client;
    queues_[hello.mirror].tickets.insert(arrival.ticket);
  } else if (QueuedClient& queued = clients_.at(arrival.ticket); queued.peer != peer) {
    by_peer_.erase(queued.peer);
    arrival.before = QueuedClient{queued.mirror, queued.client, queued.peer, std::nullopt, {}, {}, false};
    if (queued.held) {
      held_bytes_ -= bytes_of(queued.held->hello);
      arrival.before->held = *std::exchange(queued.held, std::nullopt);
    }
  }
  hold(arrival.ticket, peer, seq, std::move(hello), now);
  return arrival;
}

Ticket TurnQueue::ticket_of(const std::string& mirror, const wire::ClientId& client) const {
  const auto queue = queues_.find(mirror);
  if (queue == queues_.end()) return 0;
  const auto& tickets = queue->second.tickets;  // mirror_waiting_max at most
  const auto found = std::find_if(tickets.begin(), tickets.end(),
                                  [&](Ticket ticket) { return clients_.at(ticket).client == client; });
  return found == tickets.end() ? 0 : *found;
}

void TurnQueue::hold(Ticket ticket, Peer peer, std::uint32_t seq, wire::Hello hello, Time now) {
  QueuedClient& queued = clients_.at(ticket);
  SSYNC_ASSERT(!queued.held);
  held_bytes_ += bytes_of(hello);
  queued.held = HeldHello{seq, std::move(hello)};
  queued.peer = peer;
  queued.called.reset();
  queued.passed_over = false;
  by_peer_[peer] = ticket;
  set_due(ticket, now + config_.heartbeat);
  update(queued.mirror);
}

void TurnQueue::set_due(Ticket ticket, Time due) {
  QueuedClient& queued = clients_.at(ticket);
  dues_.erase({queued.due, ticket});
  queued.due = due;
  dues_.emplace(due, ticket);
}

bool TurnQueue::is_crowded(Ticket ticket) const {
  return clients_.size() > config_.waiting_max ||
         queues_.at(clients_.at(ticket).mirror).tickets.size() > config_.mirror_waiting_max;
}

const QueuedClient* TurnQueue::find(Ticket ticket) const {
  const auto found = clients_.find(ticket);
  return found == clients_.end() ? nullptr : &found->second;
}

const QueuedClient* TurnQueue::of(Peer peer) const {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? nullptr : find(found->second);
}

Standing TurnQueue::standing(Ticket ticket) const {
  const auto place_in = [ticket](const std::set<Ticket>& queue) {
    return static_cast<std::size_t>(std::distance(queue.begin(), queue.find(ticket))) + 1;
  };
  const Queue& queue = queues_.at(clients_.at(ticket).mirror);
  if (queue.next == ticket) return {Standing::Why::server_full, place_in(ready_), ready_.size()};
  return {queue.taken ? Standing::Why::mirror_taken : Standing::Why::others_first, place_in(queue.tickets),
          queue.tickets.size()};
}

std::uint32_t TurnQueue::answer(Ticket ticket, Time now) {
  QueuedClient& queued = clients_.at(ticket);
  SSYNC_ASSERT(queued.held);
  held_bytes_ -= bytes_of(queued.held->hello);
  const std::uint32_t seq = std::exchange(queued.held, std::nullopt)->seq;
  set_due(ticket, now + config_.turn);
  update(queued.mirror);
  return seq;
}

std::optional<QueuedClient> TurnQueue::leave(Peer peer) {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return std::nullopt;
  return remove(found->second);
}

std::vector<QueuedClient> TurnQueue::dissolve(const std::string& mirror) {
  std::vector<QueuedClient> clients;
  for (auto queue = queues_.find(mirror); queue != queues_.end() && !queue->second.tickets.empty();
       queue = queues_.find(mirror))
    clients.push_back(remove(*queue->second.tickets.begin()));
  return clients;
}

std::vector<QueuedClient> TurnQueue::dissolve() {
  std::vector<QueuedClient> clients;
  while (!dues_.empty())
    clients.push_back(remove(dues_.begin()->second));
  return clients;
}

QueuedClient TurnQueue::remove(Ticket ticket) {
  const auto found = clients_.find(ticket);
  QueuedClient queued = std::move(found->second);
  clients_.erase(found);
  if (queued.held) held_bytes_ -= bytes_of(queued.held->hello);
  by_peer_.erase(queued.peer);
  dues_.erase({queued.due, ticket});
  queues_.at(queued.mirror).tickets.erase(ticket);
  update(queued.mirror);
  return queued;
}

std::vector<Ticket> TurnQueue::tick(Time now) {
  std::vector<Ticket> held;
  std::vector<Ticket> lapsed;
  for (auto due = dues_.begin(); due != dues_.end() && due->first <= now; ++due)
    (clients_.at(due->second).held ? held : lapsed).push_back(due->second);
  for (const Ticket ticket : lapsed)
    static_cast<void>(remove(ticket));
  return held;
}

std::optional<QueuedClient> TurnQueue::next_turn(Time now) {
  recall_at_ = Time::max();
  std::size_t free = config_.syncs_max == 0 ? std::numeric_limits<std::size_t>::max()
                                            : config_.syncs_max - std::min(config_.syncs_max, taken_);
  for (auto next = ready_.begin(); next != ready_.end() && free > 0;) {
    const Ticket ticket = *next;
    if (clients_.at(ticket).held) {
      QueuedClient queued = remove(ticket);
      queues_[queued.mirror].taken = true;
      ++taken_;
      update(queued.mirror);
      return queued;
    }
    if (!pass_over(ticket, now)) --free;  // kept for it
    next = ready_.upper_bound(ticket);    // which may be another client of this mirror now
  }
  return std::nullopt;
}

bool TurnQueue::pass_over(Ticket ticket, Time now) {
  QueuedClient& queued = clients_.at(ticket);
  if (!queued.called) queued.called = now;
  const Time until = *queued.called + config_.recall;
  if (now < until) {
    recall_at_ = std::min(recall_at_, until);
    return false;
  }
  queued.passed_over = true;
  update(queued.mirror);
  return true;
}

void TurnQueue::release(const std::string& mirror) {
  Queue& queue = queues_.at(mirror);
  SSYNC_ASSERT(queue.taken);
  queue.taken = false;
  --taken_;
  update(mirror);
}

void TurnQueue::update(const std::string& mirror) {
  const auto found = queues_.find(mirror);
  Queue& queue = found->second;
  const auto can_go = [this](Ticket ticket) {
    const QueuedClient& queued = clients_.at(ticket);
    return queued.held || !queued.passed_over;
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

Time TurnQueue::next_deadline() const {
  return dues_.empty() ? recall_at_ : std::min(recall_at_, dues_.begin()->first);
}

}  // namespace ssync::session::server
