// msgpack bytes -> a flat list of tokens: the small, rarely repeated parts of a message (heads, tap records).
// Rows take rows.h.
//
// msgpack-c's parser drives a visitor, never its object tree: that allocates from the counts which the peer
// claims, and recurses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"

namespace ssync::wire {

struct Token {
  enum class Type : std::uint8_t {
    nil,
    boolean,
    positive,
    negative,
    floating,
    text,
    bytes,
    extension,
    array,
    map
  };
  Type type = Type::nil;
  std::uint32_t items = 0;   ///< of an array; pairs of a map
  std::uint32_t next = 0;    ///< index of the token after this one and all inside it
  std::uint64_t number = 0;  ///< boolean 0 or 1; positive; negative in two's complement
  std::string_view bytes;    ///< text, bytes; points into the parsed input
};

/// Containers inside one another, at most.
inline constexpr std::size_t kDepthOfTokensMax = 8;

/// One msgpack value and nothing after it, at most `tokens_max` tokens. Errors: Errc::protocol, Errc::limit.
[[nodiscard]] Result<std::vector<Token>> parse_tokens(std::span<const std::byte> bytes,
                                                      std::size_t tokens_max);

}  // namespace ssync::wire
