// What the tap shows of one message: never content. proto-spec/07.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"

namespace ssync::wire {

inline constexpr std::size_t kTapDetailsMax = 64;       ///< details in a record
inline constexpr std::size_t kTapDetailBytesMax = 512;  ///< of one of them
inline constexpr std::size_t kTapTypeBytesMax = 64;
inline constexpr std::size_t kTapRecordBytesMax = 64 * 1024;

enum class TapKind : std::uint8_t { control = 1, data = 2, connection = 3, state = 4 };
enum class Direction : std::uint8_t { in = 1, out = 2, none = 3 };

struct TapRecord {
  std::uint64_t number = 0;  ///< of the publisher, without gaps; set by the publisher
  std::int64_t time_ns = 0;  ///< wall clock, since the epoch
  TapKind kind = TapKind::control;
  Direction direction = Direction::none;
  std::uint64_t peer = 0;    ///< the server's own number of the connection
  std::string peer_address;  ///< text
  std::string type;          ///< "filelist", "data", "credit", "connected", "state" …
  /// Name of the mirror that it belongs to, empty for the one without a name; nullopt: none, or not known
  /// yet.
  std::optional<std::string> mirror{};
  std::uint64_t session = 0;  ///< the server's own number of the sync, from 1; 0: none
  std::uint64_t seq = 0;      ///< sequence or message number
  std::uint64_t bytes = 0;    ///< on the wire, all frames
  std::uint64_t rows = 0;     ///< rows or segments
  std::uint64_t dropped = 0;  ///< records the publisher had to drop so far (kind state: every second)
  std::string summary;        ///< text, one line: "delete=yes dry-run=no", "guard over_half 120 of 200"
  std::vector<std::string>
      details;  ///< a few rows as text, escaped, for -v: at most 64, each at most 512 bytes
  friend bool operator==(const TapRecord&, const TapRecord&) = default;
};

/// Texts that are too long are cut, details after the 64th left out.
[[nodiscard]] Buffer encode(const TapRecord& record);
/// Errors as decode_request(): the publisher is another process.
[[nodiscard]] Result<TapRecord> decode_tap(std::span<const std::byte> bytes);
[[nodiscard]] Result<void> validate(const TapRecord& record);

}  // namespace ssync::wire
