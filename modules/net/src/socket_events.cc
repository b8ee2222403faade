#include "socket_events.h"

#include <cstring>

#include <fmt/format.h>

namespace ssync::net {

Result<zmq::socket_t> watch_events(Context::Impl& context, zmq::socket_t& watched, int events) {
  const std::string endpoint = fmt::format("inproc://ssync-watch-{}", ++context.watches);
  try {
    if (zmq_socket_monitor(watched.handle(), endpoint.c_str(), events) != 0) throw zmq::error_t();
    zmq::socket_t reader(context.zmq, zmq::socket_type::pair);
    reader.set(zmq::sockopt::linger, 0);
    reader.set(zmq::sockopt::rcvhwm, 0);
    reader.connect(endpoint);
    return reader;
  } catch (const zmq::error_t& error) {
    return fail(zmq_failure("watching a connection", error.num()));
  }
}

void stop_events(zmq::socket_t& watched) noexcept {
  zmq_socket_monitor(watched.handle(), nullptr, 0);
}

Result<std::optional<SocketEvent>> next_event(zmq::socket_t& events, Multipart& scratch) {
  while (true) {
    SSYNC_TRY(const bool any, receive(events, scratch));
    if (!any) return std::nullopt;
    const zmq::message_t& frame = scratch.frames[0];
    std::uint16_t number = 0;
    std::uint32_t value = 0;
    if (frame.size() != sizeof number + sizeof value) continue;
    std::memcpy(&number, frame.data(), sizeof number);
    std::memcpy(&value, static_cast<const char*>(frame.data()) + sizeof number, sizeof value);
    return SocketEvent{number, static_cast<int>(value)};
  }
}

}  // namespace ssync::net
