#include "log_frame.h"

namespace ssync::index {

namespace {

constexpr std::uint32_t kFrameMagic = 0x52474c53;         // "SLGR"
constexpr std::uint64_t kHeadMagic = 0x32676f6c636e7973;  // "synclog2"

std::uint32_t frame_checksum(const std::uint8_t* frame, std::uint64_t seed) noexcept {
  // The frame without its bytes 12 to 15, which hold this.
  const std::uint64_t first = checksum64({frame, 12}, seed);
  return static_cast<std::uint32_t>(checksum64({frame + 16, kLogFrameBytes - 16}, first));
}

void finish_frame(Out& out, std::size_t begin, LogFrame frame, std::uint64_t seed) noexcept {
  const std::size_t payload = begin + kLogFrameBytes;
  frame.length = static_cast<std::uint32_t>(out.size() - payload);
  frame.payload_checksum = payload_checksum(out.view().subspan(payload));
  put_frame(out.at(begin), frame, seed);
}

}  // namespace

void put_frame(std::uint8_t* into, const LogFrame& frame, std::uint64_t seed) noexcept {
  store_le(into, kFrameMagic);
  store_le(into + 4, static_cast<std::uint32_t>(frame.kind));
  store_le(into + 8, frame.length);
  store_le(into + 16, frame.hash);
  store_le(into + 24, frame.payload_checksum);
  store_le(into + 12, frame_checksum(into, seed));
}

std::optional<LogFrame> parse_frame(ByteSpan bytes, std::uint64_t seed) noexcept {
  const std::uint8_t* at = bytes.data();
  if (load_le<std::uint32_t>(at) != kFrameMagic) return std::nullopt;
  const std::uint32_t kind = load_le<std::uint32_t>(at + 4);
  if (load_le<std::uint32_t>(at + 12) != frame_checksum(at, seed) || kind < 1 || kind > 3)
    return std::nullopt;
  LogFrame frame{.kind = static_cast<LogKind>(kind),
                 .length = load_le<std::uint32_t>(at + 8),
                 .hash = load_le<std::uint64_t>(at + 16),
                 .payload_checksum = load_le<std::uint64_t>(at + 24)};
  if (frame.length > kLogPayloadMax) return std::nullopt;
  return frame;
}

void put_log_head(std::uint8_t* into, std::uint64_t generation) noexcept {
  store_le(into, kHeadMagic);
  store_le(into + 8, generation);
  store_le(into + 16, std::uint64_t{0});
  store_le(into + 24, checksum64({into, 24}, kHeadMagic));
}

std::optional<std::uint64_t> parse_log_head(ByteSpan bytes) noexcept {
  if (bytes.size() < kLogHeadBytes || load_le<std::uint64_t>(bytes.data()) != kHeadMagic ||
      load_le<std::uint64_t>(bytes.data() + 24) != checksum64(bytes.first(24), kHeadMagic))
    return std::nullopt;
  return load_le<std::uint64_t>(bytes.data() + 8);
}

void append_entry(Out& out, PathView path, const Record* record, std::uint64_t seed) {
  const std::size_t begin = out.size();
  out.ensure(kLogFrameBytes + path.location.size() + path.name.size() + 20 + kFieldBytesMax);
  for (std::size_t i = 0; i < kLogFrameBytes; ++i)
    out.u8(0);
  out.text(path.location);
  out.text(path.name);
  FieldState state;
  if (record != nullptr) encode_fields(out, *record, state);
  LogFrame frame;
  frame.kind = record != nullptr ? LogKind::record : LogKind::removed;
  frame.hash = path_hash(location_hash(path.location), path.name);
  finish_frame(out, begin, frame, seed);
}

Result<void> append_header_frame(Out& out, const Header& header, std::uint64_t seed) {
  const std::size_t begin = out.size();
  out.ensure(kLogFrameBytes);
  for (std::size_t i = 0; i < kLogFrameBytes; ++i)
    out.u8(0);
  if (Result<void> encoded = encode_header(out, header); !encoded) {
    out.shorten(begin);
    return encoded;
  }
  LogFrame frame;
  frame.kind = LogKind::header;
  finish_frame(out, begin, frame, seed);
  return {};
}

bool parse_entry(ByteSpan payload, LogKind kind, LogEntry& entry) {
  In in(payload);
  entry.path.location = in.text(kPathBytesMax);
  entry.path.name = in.text(kNameBytesMax);
  entry.removed = kind == LogKind::removed;
  FieldState state;
  if (!entry.removed && !decode_fields(in, entry.record, state)) return false;
  return !in.failed() && in.left() == 0;
}

}  // namespace ssync::index
