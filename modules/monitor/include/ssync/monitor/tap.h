// The tap: records of all traffic, published for monitor-sync. Costs one atomic load a message while nobody
// listens, and never slows the traffic. proto-spec/07.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "ssync/base/result.h"
#include "ssync/monitor/endpoint.h"
#include "ssync/net/transport.h"
#include "ssync/wire/tap.h"

namespace ssync::monitor {

/// A bounded ring between the threads that own sockets and the publisher. push() drops (and counts) when it
/// is full. Thread safety: push() and active() any thread; the rest is the publisher's.
class TapRing final : public net::Tap {
 public:
  /// Requires: records > 0.
  explicit TapRing(std::size_t records = 8192);
  ~TapRing() override;
  /// True while a TapPublisher serves this ring and has a subscriber.
  [[nodiscard]] bool active() const noexcept override;
  /// The lock it takes is held for a few instructions only, by the publisher too.
  void push(wire::TapRecord record) noexcept override;
  struct Impl;
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// A thread that owns a net::TapSocket, drains the ring, numbers the records, and sends a `state` record each
/// second (and at once when somebody begins to listen). It ends by itself only with the context; the tap is
/// then silent.
class TapPublisher {
 public:
  /// ring, context and its admission must outlive it. One publisher a ring. Errors as net::TapSocket::bind().
  [[nodiscard]] static Result<std::unique_ptr<TapPublisher>> start(net::Context& context,
                                                                   net::Admission& admission, TapRing& ring,
                                                                   const net::TapSocket::Options& options);
  ~TapPublisher();  ///< stops and joins

 private:
  struct Impl;
  explicit TapPublisher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::monitor
