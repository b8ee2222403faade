// What requests and replies have in common: the head's envelope fields and the bounds of both frames.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/wire/codec.h"

#include "fields.h"
#include "packer.h"

namespace ssync::wire {

/// Values in a head at most; hello's ancestry takes two a directory.
inline constexpr std::size_t kHeadTokensMax = 2 * kDepthMax + 1024;

/// A head that is written: v, t, q and then what the message adds.
class HeadPacker : public MapPacker {
 public:
  HeadPacker(std::string_view type, std::uint32_t seq) {
    number("v", kVersion);
    word("t", type);
    number("q", seq);
  }
  /// The two frames of the message. Requires: they are within the limits.
  [[nodiscard]] Frames finish(Buffer body = {}) const;
};

/// A head that is read. The views in it point into the frame.
struct Head {
  std::vector<Token> tokens;
  std::string_view type;
  std::uint32_t seq = 0;
};

/// Checks sizes, msgpack, the version, and the fields of the envelope.
[[nodiscard]] Result<Head> open_head(const Frames& frames);

/// A message's type says whether it has a body. These check that.
[[nodiscard]] Result<void> require_no_body(const Frames& frames);
[[nodiscard]] Result<void> require_body(const Frames& frames);

/// Reads the fields of one message and checks it: `read(fields)` gives the message, validate() its rules.
template <typename Read>
[[nodiscard]] auto read_fields(const Head& head, Read read)
    -> Result<decltype(read(std::declval<Fields&>()))> {
  std::optional<Error> fault;
  Fields fields(head.tokens, 0, fault);
  auto message = read(fields);
  if (fault) return fail(*std::move(fault));
  return message;
}

}  // namespace ssync::wire
