// Heads of data messages: fixed layout, big endian. proto-spec/04 §2.
#include "ssync/wire/data.h"

#include <limits>
#include <string>
#include <utility>

#include "ssync/base/assert.h"

namespace ssync::wire {
namespace {

constexpr std::uint16_t kMagic = 0x5353;
constexpr std::uint16_t kLast = 1;
constexpr std::uint16_t kRestart = 2;
constexpr std::uint16_t kChanged = 4;
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kSessionIdBytes = std::tuple_size_v<SessionId>;

class Writer {
 public:
  explicit Writer(std::span<std::byte> room) : room_(room) {}
  template <typename T>
  void integer(T value) {
    for (std::size_t shift = sizeof(T) * 8; shift > 0;) {
      shift -= 8;
      room_[at_++] = static_cast<std::byte>((static_cast<std::uint64_t>(value) >> shift) & 0xffU);
    }
  }
  void bytes(std::span<const std::byte> from) {
    for (const std::byte byte : from)
      room_[at_++] = byte;
  }

 private:
  std::span<std::byte> room_;
  std::size_t at_ = 0;
};

/// Requires of every read: left() is enough.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }
  template <typename T>
  [[nodiscard]] T integer() {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes_.first(sizeof(T)))
      value = value << 8U | static_cast<std::uint64_t>(byte);
    bytes_ = bytes_.subspan(sizeof(T));
    return static_cast<T>(value);
  }
  void bytes(std::span<std::byte> into) {
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] = bytes_[i];
    bytes_ = bytes_.subspan(into.size());
  }

 private:
  std::span<const std::byte> bytes_;
};

void write_segment(Writer& out, const Segment& segment) {
  out.integer(segment.row);
  out.integer(segment.offset);
  out.integer(segment.length);
  const bool changed = segment.last && segment.ending.changed;
  out.integer(static_cast<std::uint16_t>((segment.last ? kLast : 0U) | (segment.restart ? kRestart : 0U) |
                                         (changed ? kChanged : 0U)));
  out.integer(std::uint16_t{0});
  if (!segment.last) return;
  out.integer(segment.ending.size);
  out.integer(static_cast<std::uint64_t>(segment.ending.mtime.s));
  out.integer(segment.ending.mtime.ns);
  out.bytes(segment.ending.checksum);
}

void read_ending(Reader& in, Ending& ending) {
  ending.size = in.integer<std::uint64_t>();
  ending.mtime.s = in.integer<std::int64_t>();
  ending.mtime.ns = in.integer<std::uint32_t>();
  in.bytes(ending.checksum);
}

/// The rule that the table breaks here, or nullptr.
const char* read_segment(Reader& in, Segment& segment) {
  if (in.left() < kSegmentBytes) return "is cut short";
  segment.row = in.integer<std::uint64_t>();
  segment.offset = in.integer<std::uint64_t>();
  segment.length = in.integer<std::uint32_t>();
  const auto flags = in.integer<std::uint16_t>();
  const auto reserved = in.integer<std::uint16_t>();
  if ((flags & ~(kLast | kRestart | kChanged)) != 0) return "has unknown flags";
  if (reserved != 0) return "has a reserved field that is not 0";
  segment.restart = (flags & kRestart) != 0;
  segment.last = (flags & kLast) != 0;
  const bool changed = (flags & kChanged) != 0;
  if (!segment.last) return changed ? "has a flag of an ending, and none" : nullptr;
  if (in.left() < kEndingBytes) return "has no ending";
  read_ending(in, segment.ending);
  segment.ending.changed = changed;
  return nullptr;
}

struct Header {
  DataHead head;
  std::size_t segments = 0;
};

Result<Header> read_header(Reader& in) {
  if (in.left() < kDataHeaderBytes) return fail(Errc::protocol, "data: head is cut short");
  if (in.integer<std::uint16_t>() != kMagic)
    return fail(Errc::protocol, "data: head does not begin with 5353");
  const auto version = in.integer<std::uint8_t>();
  if (version != kVersion) return fail(Errc::version, "data: head is of version " + std::to_string(version));
  Header header;
  header.head.type = static_cast<DataType>(in.integer<std::uint8_t>());
  header.segments = in.integer<std::uint16_t>();
  if (in.integer<std::uint16_t>() != 0)
    return fail(Errc::protocol, "data: head has a reserved field that is not 0");
  header.head.tag = in.integer<std::uint64_t>();
  header.head.number = in.integer<std::uint64_t>();
  header.head.offset = in.integer<std::uint64_t>();
  return header;
}

/// The rule that a segment breaks by itself, or nullptr.
const char* broken_rule(const Segment& segment) noexcept {
  if (segment.row > kNumberMax) return "has a row of 2^63 or more";
  if (segment.offset > kNumberMax - segment.length) return "ends at 2^63 or beyond";
  if (segment.restart && segment.offset != 0) return "restarts anywhere but at 0";
  if (!segment.last) return nullptr;
  if (segment.ending.size > kNumberMax) return "ends a file of 2^63 bytes or more";
  if (segment.ending.mtime.ns >= 1'000'000'000) return "has a second or more of nanoseconds";
  if (segment.offset + segment.length > segment.ending.size) return "is beyond the end of its file";
  return nullptr;
}

/// The rule that a segment breaks after its neighbour, or nullptr.
const char* broken_order(const Segment& before, const Segment& segment) noexcept {
  if (segment.row != before.row) return nullptr;
  if (before.last) return "follows the last of its file";
  if (segment.restart) return nullptr;
  return segment.offset < before.offset + before.length ? "begins before the end of the one before" : nullptr;
}

Result<void> check_segments(const DataHead& head, std::size_t payload_bytes) {
  std::uint64_t sum = 0;
  const Segment* before = nullptr;
  for (std::size_t i = 0; i < head.segments.size(); ++i) {
    const Segment& segment = head.segments[i];
    const char* rule = broken_rule(segment);
    if (rule == nullptr && before != nullptr) rule = broken_order(*before, segment);
    if (rule != nullptr) return fail(Errc::protocol, "data: segment " + std::to_string(i) + " " + rule);
    sum += segment.length;
    before = &segment;
  }
  if (sum == payload_bytes) return {};
  return fail(Errc::protocol, "data: segments of " + std::to_string(sum) +
                                  " bytes do not make up a payload of " + std::to_string(payload_bytes));
}

Result<void> check_bare(const DataHead& head, std::size_t payload_bytes, std::size_t payload_wanted,
                        const char* name) {
  if (!head.segments.empty()) return fail(Errc::protocol, std::string(name) + ": has segments");
  if (payload_bytes != payload_wanted) {
    return fail(Errc::protocol, std::string(name) + ": payload has " + std::to_string(payload_bytes) +
                                    " bytes, not " + std::to_string(payload_wanted));
  }
  return {};
}

}  // namespace

std::uint64_t charge(std::size_t head_bytes, std::size_t payload_bytes) noexcept {
  return std::uint64_t{head_bytes} + payload_bytes + kMessageCharge;
}

std::size_t table_bytes(const Segment& segment) noexcept {
  return kSegmentBytes + (segment.last ? kEndingBytes : 0);
}

Buffer encode(const DataHead& head) {
  std::size_t size = kDataHeaderBytes;
  for (const Segment& segment : head.segments)
    size += table_bytes(segment);
  SSYNC_ASSERT(size <= kTableBytesMax);
  Buffer buffer = Buffer::allocate(size);
  Writer out(buffer.writable());
  out.integer(kMagic);
  out.integer(kVersion);
  out.integer(static_cast<std::uint8_t>(head.type));
  out.integer(static_cast<std::uint16_t>(head.segments.size()));
  out.integer(std::uint16_t{0});
  out.integer(head.tag);
  out.integer(head.number);
  out.integer(head.offset);
  for (const Segment& segment : head.segments)
    write_segment(out, segment);
  return buffer;
}

Result<void> validate(const DataHead& head, std::size_t payload_bytes) {
  if (payload_bytes > kChunkBytesMax) {
    return fail(Errc::limit, "data: payload of " + std::to_string(payload_bytes) + " bytes is larger than " +
                                 std::to_string(kChunkBytesMax));
  }
  if (head.number > kNumberMax || head.offset > kNumberMax)
    return fail(Errc::protocol, "data: number or offset is 2^63 or more");
  switch (head.type) {
    case DataType::attach:
      if (head.number != 0 || head.offset != 0)
        return fail(Errc::protocol, "attach: number and offset are not 0");
      return check_bare(head, payload_bytes, kSessionIdBytes, "attach");
    case DataType::credit:
      return check_bare(head, payload_bytes, 0, "credit");
    case DataType::data:
      if (head.segments.empty()) return fail(Errc::protocol, "data: has no segments");
      return check_segments(head, payload_bytes);
  }
  return fail(Errc::protocol,
              "data: type " + std::to_string(static_cast<unsigned>(head.type)) + " is unknown");
}

Result<DataHead> decode_data(std::span<const std::byte> head, std::size_t payload_bytes) {
  if (head.size() > kTableBytesMax) {
    return fail(Errc::limit, "data: head of " + std::to_string(head.size()) + " bytes is larger than " +
                                 std::to_string(kTableBytesMax));
  }
  Reader in(head);
  SSYNC_TRY(Header header, read_header(in));
  if (header.segments > in.left() / kSegmentBytes)
    return fail(Errc::protocol, "data: claims more segments than it has bytes for");
  header.head.segments.resize(header.segments);
  for (std::size_t i = 0; i < header.segments; ++i) {
    if (const char* rule = read_segment(in, header.head.segments[i])) {
      return fail(Errc::protocol, "data: segment " + std::to_string(i) + " " + rule);
    }
  }
  if (in.left() > 0) return fail(Errc::protocol, "data: head has bytes after its end");
  SSYNC_TRY_VOID(validate(header.head, payload_bytes));
  return std::move(header.head);
}

}  // namespace ssync::wire
