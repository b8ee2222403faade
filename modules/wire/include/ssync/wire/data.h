// Messages of the data socket: a binary head (32-byte header, then the segment table) and a payload frame.
// proto-spec/04.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/wire/limits.h"
#include "ssync/wire/messages.h"

namespace ssync::wire {

enum class DataType : std::uint8_t {
  attach = 1,   ///< C: payload is the session id (16 bytes); says which control session this socket belongs
                ///< to. number and offset are 0
  data = 2,     ///< C: segments
  credit = 16,  ///< S: offset is the absolute limit that the session's charged bytes may reach
};

/// Charged bytes of a message: both frames and kMessageCharge. Sums over a session are compared with the
/// credit limit.
[[nodiscard]] std::uint64_t charge(std::size_t head_bytes, std::size_t payload_bytes) noexcept;

/// How a file must end: in its last segment.
struct Ending {
  std::uint64_t size = 0;
  FileTime mtime;
  Checksum checksum{};
  bool changed = false;  ///< it changed while it was read, and RequestRow::any_content allowed to send it:
                         ///< what the last reading found
  friend bool operator==(const Ending&, const Ending&) = default;
};

/// A piece of one file. Segments of one file come in order of offset, without overlap; a range that no
/// segment covers is a hole.
struct Segment {
  RowId row = kNoRow;
  std::uint64_t offset = 0;  ///< in the file
  std::uint32_t length = 0;  ///< in this message's payload, following the segments before it; 0 is allowed
  bool restart =
      false;  ///< the source changed while it was read: forget what came before, this is offset 0 again
  bool last = false;  ///< `ending` holds
  Ending ending;
  friend bool operator==(const Segment&, const Segment&) = default;
};

struct DataHead {
  DataType type = DataType::data;
  std::uint64_t tag = 0;  ///< of the session (Welcome::tag)
  std::uint64_t number =
      0;  ///< data messages of a session count from 0 without gaps (credit messages likewise)
  std::uint64_t offset = 0;  ///< data: charged bytes of the session before this message; credit: the limit
  std::vector<Segment> segments;
  friend bool operator==(const DataHead&, const DataHead&) = default;
};

/// Requires: at most kTableBytesMax bytes (an assertion).
[[nodiscard]] Buffer encode(const DataHead& head);
/// Checks a decoded head against its payload, as decode_data() does.
[[nodiscard]] Result<void> validate(const DataHead& head, std::size_t payload_bytes);
/// Bytes that a segment takes in the table.
[[nodiscard]] std::size_t table_bytes(const Segment& segment) noexcept;
/// Checks magic, version (Errc::version), sizes (Errc::limit), reserved fields and flags, lengths against the
/// payload's size, and that neighbouring segments of one row are in order; else Errc::protocol. Order across
/// messages, and which rows were asked for, is the receiver's business.
[[nodiscard]] Result<DataHead> decode_data(std::span<const std::byte> head, std::size_t payload_bytes);

}  // namespace ssync::wire
