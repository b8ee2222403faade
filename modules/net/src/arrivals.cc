#include "arrivals.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace ssync::net {
namespace {

constexpr int kEvents = ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;

}  // namespace

Result<Arrivals> Arrivals::attach(Context::Impl& context, zmq::socket_t& socket,
                                  std::uint64_t handshake_bytes) {
  SSYNC_TRY(zmq::socket_t events, watch_events(context, socket, kEvents));
  return Arrivals(socket, std::move(events), handshake_bytes);
}

Arrivals::Arrivals(Arrivals&& other) noexcept
    : watched_(std::exchange(other.watched_, nullptr)),
      events_(std::move(other.events_)),
      polled_(events_),
      handshake_bytes_(other.handshake_bytes_),
      listeners_(std::move(other.listeners_)),
      accepts_(other.accepts_),
      shut_(other.shut_),
      order_(std::move(other.order_)),
      by_fd_(std::move(other.by_fd_)) {}

Arrivals::~Arrivals() {
  if (watched_ != nullptr) stop_events(*watched_);
}

Result<void> Arrivals::drain(SteadyTime now) {
  return take_events(events_, polled_, [&](const SocketEvent& event) { on_event(event, now); });
}

void Arrivals::on_event(const SocketEvent& event, SteadyTime now) {
  if (event.number == ZMQ_EVENT_LISTENING) {
    listeners_.push_back(event.value);
    return;
  }
  auto found = by_fd_.find(event.value);
  if (event.number == ZMQ_EVENT_ACCEPTED) {
    if (found != by_fd_.end()) forget(found->second);  // its end was not told
    order_.push_back({Connection::at(event.value), now});
    by_fd_[event.value] = std::prev(order_.end());
    return;
  }
  if (found == by_fd_.end()) return;
  forget(found->second);
  by_fd_.erase(found);
}

void Arrivals::forget(std::list<Arrival>::iterator arrival) {
  if (arrival->is_shut) --shut_;
  order_.erase(arrival);
}

bool Arrivals::shut_down(Arrival& arrival) noexcept {
  arrival.connection.shut();
  ++shut_;
  arrival.is_shut = true;
  return true;
}

bool Arrivals::shut_oldest_handshake() {
  for (Arrival& arrival : order_) {
    if (arrival.is_shut || arrival.is_through) continue;
    arrival.is_through = traffic_of(arrival.connection.fd()).sent >= handshake_bytes_;
    if (!arrival.is_through) return shut_down(arrival);
  }
  return false;
}

bool Arrivals::shut_newest() {
  const auto newest =
      std::find_if(order_.rbegin(), order_.rend(), [](const Arrival& arrival) { return !arrival.is_shut; });
  return newest != order_.rend() && shut_down(*newest);
}

void Arrivals::taken(int fd, const Multipart& message) noexcept {
  const auto found = by_fd_.find(fd);
  if (found != by_fd_.end()) found->second->backlog.taken(message);
}

Arrivals::Backlogs Arrivals::look_at_backlogs(BacklogTimer::Look look, std::uint64_t max) {
  Backlogs out;
  for (Arrival& arrival : order_) {
    if (arrival.is_shut) continue;
    if (look == BacklogTimer::Look::all || arrival.backlog.is_much())
      arrival.backlog.look(arrival.connection.fd());
    if (arrival.backlog.last() > max) {
      shut_down(arrival);
      ++out.shut;
      continue;
    }
    out.bytes += arrival.backlog.last();
    out.any_much = out.any_much || arrival.backlog.is_much();
  }
  return out;
}

bool Arrivals::shut_most_backlog() {
  const auto bytes = [](const Arrival& arrival) { return arrival.is_shut ? 0 : arrival.backlog.last(); };
  const auto most = std::ranges::max_element(order_, {}, bytes);
  return most != order_.end() && bytes(*most) > 0 && shut_down(*most);
}

void Arrivals::accept(bool on) noexcept {
  if (std::exchange(accepts_, on) == on) return;
  sock_filter drop_all{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &drop_all};
  const int nothing = 0;
  for (const int fd : listeners_) {
    // Fails where a sandbox forbids it; then connections are made, and broken one by one.
    if (on) {
      static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof nothing));
    } else {
      static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    }
  }
}

// A shut connection is counted until libzmq has noticed, so each is answered by one more that is shut, and no
// more.
bool keep_below(std::span<Arrivals* const> all, std::size_t max) {
  std::size_t count = 0;
  std::size_t shut = 0;
  for (const Arrivals* const one : all) {
    count += one->count();
    shut += one->shut_count();
  }
  std::vector<Arrivals*> most_first(all.begin(), all.end());
  for (std::size_t over = count > max + shut ? count - max - shut : 0; over > 0; --over) {
    std::ranges::stable_sort(most_first, std::ranges::greater(), &Arrivals::count);
    const auto shut_oldest = [](Arrivals* one) { return one->shut_oldest_handshake(); };
    if (!std::ranges::any_of(most_first, shut_oldest) && !most_first.front()->shut_newest()) break;
  }
  for (Arrivals* const one : all)
    one->accept(count <= max + max / 4);
  return count > max;
}

}  // namespace ssync::net
