// Tap records: one msgpack map each. proto-spec/07 §3.
#include "ssync/wire/tap.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "fields.h"
#include "packer.h"
#include "tokens.h"

namespace ssync::wire {
namespace {

constexpr std::size_t kTokensMax = 4096;

TapRecord get_record(Fields& in) {
  TapRecord record;
  record.number = in.number("n");
  record.time_ns = in.signed_number("ts", std::numeric_limits<std::int64_t>::min(),
                                    std::numeric_limits<std::int64_t>::max());
  record.kind = static_cast<TapKind>(in.small<std::uint8_t>("k"));
  record.direction = static_cast<Direction>(in.small<std::uint8_t>("d"));
  record.peer = in.number("p");
  record.peer_address = in.text("a");
  record.type = in.text("t", kTapTypeBytesMax);
  if (in.has("m")) record.mirror = in.text("m", kMirrorNameBytesMax);
  record.session = in.optional_number("j").value_or(0);
  record.seq = in.number("q");
  record.bytes = in.number("b");
  record.rows = in.number("r");
  record.dropped = in.number("x");
  record.summary = in.text("s");
  record.details = in.texts("e", kTapDetailsMax, kTapDetailBytesMax);
  return record;
}

}  // namespace

Buffer encode(const TapRecord& record) {
  MapPacker map;
  map.number("v", kVersion);
  map.number("n", record.number);
  map.signed_number("ts", record.time_ns);
  map.number("k", static_cast<std::uint8_t>(record.kind));
  map.number("d", static_cast<std::uint8_t>(record.direction));
  map.number("p", record.peer);
  map.text("a", record.peer_address, kTextBytesMax);
  map.text("t", record.type, kTapTypeBytesMax);
  if (record.mirror) map.text("m", *record.mirror, kMirrorNameBytesMax);
  if (record.session != 0) map.number("j", record.session);
  map.number("q", record.seq);
  map.number("b", record.bytes);
  map.number("r", record.rows);
  map.number("x", record.dropped);
  map.text("s", record.summary, kTextBytesMax);
  Packer& details = map.at("e");
  const std::size_t count = std::min(record.details.size(), kTapDetailsMax);
  details.array(count);
  for (std::size_t i = 0; i < count; ++i)
    details.text(record.details[i], kTapDetailBytesMax);
  Packer out;
  map.into(out);
  return out.take();
}

Result<void> validate(const TapRecord& record) {
  if (record.kind < TapKind::control || record.kind > TapKind::state)
    return fail(Errc::protocol, "tap: kind is unknown");
  if (record.direction < Direction::in || record.direction > Direction::none) {
    return fail(Errc::protocol, "tap: direction is unknown");
  }
  return {};
}

Result<TapRecord> decode_tap(std::span<const std::byte> bytes) {
  if (bytes.size() > kTapRecordBytesMax) return fail(Errc::limit, "tap: record is larger than 65536 bytes");
  auto tokens = parse_tokens(bytes, kTokensMax);
  if (!tokens) return fail(context(std::move(tokens).error(), "tap"));
  std::optional<Error> fault;
  Fields fields(*tokens, 0, fault);
  const std::uint64_t version = fields.number("v");
  if (!fault && version != kVersion)
    return fail(Errc::version, "tap: record is of version " + std::to_string(version));
  TapRecord record = get_record(fields);
  if (fault) return fail(context(*std::move(fault), "tap"));
  SSYNC_TRY_VOID(validate(record));
  return record;
}

}  // namespace ssync::wire
