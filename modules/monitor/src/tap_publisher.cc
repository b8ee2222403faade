#include <algorithm>
#include <chrono>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "ssync/base/event_fd.h"
#include "ssync/monitor/tap.h"

#include "ring.h"

namespace ssync::monitor {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kStateEvery{1};

std::string_view topic_of(wire::TapKind kind) noexcept {
  switch (kind) {
    case wire::TapKind::control:
      return "sync.control";
    case wire::TapKind::data:
      return "sync.data";
    case wire::TapKind::connection:
      return "sync.connection";
    case wire::TapKind::state:
      return "sync.state";
  }
  return "sync.";
}

wire::TapRecord state_record() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  wire::TapRecord record;
  record.time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  record.kind = wire::TapKind::state;
  record.type = "state";
  return record;
}

}  // namespace

struct TapPublisher::Impl {
  Impl(TapRing& tap_ring, EventFd event, std::unique_ptr<net::TapSocket> socket)
      : ring(tap_ring.impl()), wake(std::move(event)), publisher(std::move(socket)) {}

  /// Ends when stopped, or when the publisher fails, which it does only as the context ends.
  void run(const std::stop_token& stop);
  [[nodiscard]] bool step();
  [[nodiscard]] bool send(wire::TapRecord record, std::uint64_t dropped);

  TapRing::Impl& ring;
  EventFd wake;
  std::unique_ptr<net::TapSocket> publisher;
  bool heard = false;
  std::uint64_t last_number = 0;
  Steady::time_point next_state{};
  std::jthread thread;  // last: the others outlive it
};

void TapPublisher::Impl::run(const std::stop_token& stop) {
  ring.serve(&wake);
  while (!stop.stop_requested() && step()) {
  }
  ring.serve(nullptr);
  publisher.reset();  // by the thread that used it
}

bool TapPublisher::Impl::step() {
  const auto pause = std::chrono::ceil<milliseconds>(heard ? next_state - Steady::now() : kStateEvery);
  const auto listening = publisher->wait(std::max(pause, milliseconds(0)), wake.fd());
  if (!listening) return false;
  if (*listening && !heard) next_state = Steady::now();
  heard = *listening;
  ring.active.store(heard, std::memory_order_relaxed);
  wake.drain();
  auto batch = ring.take();
  if (!heard) return true;
  for (auto& record : batch.records) {
    if (!send(std::move(record), batch.dropped)) return false;
  }
  if (Steady::now() < next_state) return true;
  next_state = Steady::now() + kStateEvery;
  return send(state_record(), batch.dropped);
}

bool TapPublisher::Impl::send(wire::TapRecord record, std::uint64_t dropped) {
  record.number = ++last_number;
  record.dropped = dropped;
  return publisher->publish(topic_of(record.kind), wire::encode(record)).has_value();
}

TapPublisher::TapPublisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TapPublisher::~TapPublisher() {
  impl_->thread.request_stop();
  impl_->wake.signal();
  impl_->thread.join();
}

Result<std::unique_ptr<TapPublisher>> TapPublisher::start(net::Context& context, net::Admission& admission,
                                                          TapRing& ring,
                                                          const net::TapSocket::Options& options) {
  SSYNC_TRY(auto publisher, net::TapSocket::bind(context, admission, options));
  SSYNC_TRY(EventFd wake, EventFd::create());
  auto impl = std::make_unique<Impl>(ring, std::move(wake), std::move(publisher));
  impl->thread = std::jthread([&parts = *impl](const std::stop_token& stop) { parts.run(stop); });
  return std::unique_ptr<TapPublisher>(new TapPublisher(std::move(impl)));
}

}  // namespace ssync::monitor
