// What the one machine prints and the other is told: "ssync1:HOST:PORT:KEY:TOKEN".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/net/keys.h"

namespace ssync::programs {

struct InvitationLine {
  static constexpr std::size_t kTokenBytes = 16;
  std::string host;  ///< IPv6 without brackets
  std::uint16_t control_port = 0;
  net::PublicKey server;
  std::array<std::byte, kTokenBytes> token{};  ///< secret; the owner wipes it
};

[[nodiscard]] std::string text_of(const InvitationLine& line);
/// Blanks around it, and a "client-sync --join" before it, are fine: it was pasted. Errors:
/// Errc::invalid_argument; the text never repeats the token.
[[nodiscard]] Result<InvitationLine> parse_invitation_line(std::string_view text);

}  // namespace ssync::programs
