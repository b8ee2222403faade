// Tap records of messages. Costs a second decoding of each message, so nothing here runs while nobody
// listens.
#pragma once

#include <optional>
#include <string>

#include "ssync/net/transport.h"
#include "ssync/wire/tap.h"

namespace ssync::net {

/// Where a message went between which ends.
struct Route {
  wire::Direction direction = wire::Direction::none;
  PeerId peer = 0;
  std::string address;
  std::optional<Label> label{};  ///< of the peer
};

/// A hello is of the mirror that it names, and of no session.
/// A message that does not decode has type "?" and the reason as its summary.
[[nodiscard]] wire::TapRecord describe_request(Route route, const wire::Frames& frames);
[[nodiscard]] wire::TapRecord describe_reply(Route route, const wire::Frames& frames);
[[nodiscard]] wire::TapRecord describe_data(Route route, const Buffer& head, std::size_t payload_bytes);
/// Type "connected", "disconnected", "kicked", "refused".
[[nodiscard]] wire::TapRecord describe_connection(Route route, std::string type, std::string summary);

}  // namespace ssync::net
