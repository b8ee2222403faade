// Records of the log as bytes. A frame (32 bytes, with a checksum of its own) says which path is meant, so
// that a damaged payload makes that path unknown rather than bringing back what the base says of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec.h"
#include "format.h"

namespace ssync::index {

enum class LogKind : std::uint32_t { record = 1, removed = 2, header = 3 };

inline constexpr std::size_t kLogFrameBytes = 32;
inline constexpr std::size_t kLogPayloadMax = kHeaderBytesMax;
inline constexpr std::size_t kLogHeadBytes = 32;  ///< of the file's own head

struct LogFrame {
  LogKind kind = LogKind::record;
  std::uint32_t length = 0;  ///< of the payload
  std::uint64_t hash = 0;    ///< path_hash(); 0 for a header
  std::uint64_t payload_checksum = 0;
};

/// `seed` ties a frame to its log: the generation of the base.
void put_frame(std::uint8_t* into, const LogFrame& frame, std::uint64_t seed) noexcept;
/// nullopt: no frame starts here. Requires: kLogFrameBytes bytes.
[[nodiscard]] std::optional<LogFrame> parse_frame(ByteSpan bytes, std::uint64_t seed) noexcept;
[[nodiscard]] inline std::uint64_t payload_checksum(ByteSpan payload) noexcept {
  return checksum64(payload, 0);
}

/// The file's first bytes: what it is and the generation of the base it belongs to.
void put_log_head(std::uint8_t* into, std::uint64_t generation) noexcept;
/// The generation. nullopt: this is no log of this version.
[[nodiscard]] std::optional<std::uint64_t> parse_log_head(ByteSpan bytes) noexcept;

/// Frame and payload at the end of `out`. `record` null: removed. Requires: a valid record and path.
void append_entry(Out& out, PathView path, const Record* record, std::uint64_t seed);
[[nodiscard]] Result<void> append_header_frame(Out& out, const Header& header, std::uint64_t seed);

/// What a payload of kind record or removed holds. The path's views point into the payload.
struct LogEntry {
  PathView path;
  bool removed = false;
  Record record;
};
[[nodiscard]] bool parse_entry(ByteSpan payload, LogKind kind, LogEntry& entry);

}  // namespace ssync::index
