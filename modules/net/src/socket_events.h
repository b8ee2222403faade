// What libzmq tells of the connections of a socket: its monitor (zmq_socket_monitor(3)).
#pragma once

#include <cstdint>
#include <optional>

#include <zmq.hpp>

#include "ssync/base/result.h"

#include "context.h"
#include "frames.h"
#include "socket_poll.h"

namespace ssync::net {

struct SocketEvent {
  std::uint16_t number = 0;  ///< ZMQ_EVENT_…
  int value = 0;             ///< a descriptor, or an error
};

/// A socket that the events (ZMQ_EVENT_… or'd) of `watched` come to. Each is kept until it is read: an I/O
/// thread of libzmq would otherwise wait for the reader. End with stop_events() before it goes.
[[nodiscard]] Result<zmq::socket_t> watch_events(Context::Impl& context, zmq::socket_t& watched, int events);
void stop_events(zmq::socket_t& watched) noexcept;

/// nullopt: there is none just now. Errors: as receive().
[[nodiscard]] Result<std::optional<SocketEvent>> next_event(zmq::socket_t& events, Multipart& scratch);
/// All that there are, one after the other. `polled`: the place of `events` in a poll.
template <typename Take>
[[nodiscard]] Result<void> take_events(zmq::socket_t& events, PolledSocket& polled, Take take) {
  Multipart scratch;
  while (true) {
    SSYNC_TRY(const auto event, next_event(events, scratch));
    if (!event) {
      polled.found_empty();
      return {};
    }
    polled.used();
    take(*event);
  }
}

}  // namespace ssync::net
