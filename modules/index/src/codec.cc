#include "codec.h"

#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace ssync::index {

namespace {

// Flag bits of a record; two bytes in front of its fields.
constexpr unsigned kKindMask = 7;  // kind - 1
constexpr unsigned kSameMode = 1u << 3;
constexpr unsigned kSameOwner = 1u << 4;
constexpr unsigned kSameDevice = 1u << 5;
constexpr unsigned kOneLink = 1u << 6;
constexpr unsigned kHasWanted = 1u << 7;
constexpr unsigned kWantedIsHeld = 1u << 8;
constexpr unsigned kHasChecksum = 1u << 9;
constexpr unsigned kHasDigest = 1u << 10;
constexpr unsigned kRacy = 1u << 11;
constexpr unsigned kRetry = 1u << 12;
constexpr unsigned kBoundary = 1u << 13;  // of a directory
constexpr unsigned kHasUnmirrored = 1u << 14;
/// A further byte of flags follows these two, for what comes later. No flag of it means anything yet, so a
/// record that has one is not understood: its entry is unknown.
constexpr unsigned kHasMoreFlags = 1u << 15;

constexpr std::uint32_t kNsMax = 999'999'999;

std::uint64_t bits(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(value);
}

void put_difference(Out& out, std::uint64_t value, std::uint64_t& before) noexcept {
  out.varint(zigzag(value - before));
  before = value;
}

std::uint64_t get_difference(In& in, std::uint64_t& before) noexcept {
  before += unzigzag(in.varint());
  return before;
}

void put_time(Out& out, const FileTime& time, std::uint64_t& before) noexcept {
  put_difference(out, bits(time.s), before);
  out.fixed(time.ns);
}

FileTime get_time(In& in, std::uint64_t& before) noexcept {
  FileTime time;
  time.s = static_cast<std::int64_t>(get_difference(in, before));
  time.ns = in.fixed<std::uint32_t>();
  return time;
}

unsigned flags_of(const Record& record, const FieldState& state) noexcept {
  const Seen& held = record.held;
  unsigned flags = static_cast<unsigned>(held.values.kind) - 1;
  if (held.values.mode == state.mode) flags |= kSameMode;
  if (held.values.owner == state.owner) flags |= kSameOwner;
  if (held.device == state.device) flags |= kSameDevice;
  if (held.links == 1) flags |= kOneLink;
  if (record.wanted) flags |= *record.wanted == held.values ? kHasWanted | kWantedIsHeld : kHasWanted;
  if (record.checksum) flags |= kHasChecksum;
  if (record.digest) flags |= kHasDigest;
  if (record.racy) flags |= kRacy;
  if (record.boundary) flags |= kBoundary;
  if (record.retry) flags |= kRetry;
  if (record.unmirrored != 0) flags |= kHasUnmirrored;
  return flags;
}

void put_wanted(Out& out, const Values& wanted, std::uint64_t mtime_s) noexcept {
  out.u8(static_cast<std::uint8_t>(wanted.kind));
  out.fixed(wanted.mode);
  out.varint(wanted.size);
  put_time(out, wanted.mtime, mtime_s);
  out.varint(wanted.owner.uid);
  out.varint(wanted.owner.gid);
}

bool get_kind(unsigned code, Kind& kind) noexcept {
  if (code < static_cast<unsigned>(Kind::file) || code > static_cast<unsigned>(Kind::symlink)) return false;
  kind = static_cast<Kind>(code);
  return true;
}

bool check_values(const Values& values) noexcept {
  Kind kind{};
  return get_kind(static_cast<unsigned>(values.kind), kind) && values.mode <= 07777 &&
         values.mtime.ns <= kNsMax;
}

bool get_wanted(In& in, Values& wanted, std::uint64_t mtime_s) noexcept {
  if (!get_kind(in.u8(), wanted.kind)) return false;
  wanted.mode = in.fixed<std::uint16_t>();
  wanted.size = in.varint();
  wanted.mtime = get_time(in, mtime_s);
  wanted.owner.uid = in.varint_of<std::uint32_t>();
  wanted.owner.gid = in.varint_of<std::uint32_t>();
  return check_values(wanted);
}

// In the place of the size, which a directory does not have: 0, or their number plus one.
std::uint64_t names_code(const Record& record) noexcept {
  return record.names ? std::uint64_t{*record.names} + 1 : 0;
}

bool get_names(std::uint64_t code, std::optional<std::uint32_t>& names) noexcept {
  names.reset();
  if (code > std::uint64_t{std::numeric_limits<std::uint32_t>::max()} + 1) return false;
  if (code != 0) names = static_cast<std::uint32_t>(code - 1);
  return true;
}

bool get_held(In& in, unsigned flags, Seen& held, FieldState& state) noexcept {
  Values& values = held.values;
  if (!get_kind((flags & kKindMask) + 1, values.kind)) return false;
  if ((flags & kSameMode) == 0) state.mode = in.fixed<std::uint16_t>();
  values.mode = state.mode;
  values.size = in.varint();
  values.mtime = get_time(in, state.mtime_s);
  held.ctime = get_time(in, state.ctime_s);
  if ((flags & kSameOwner) == 0) {
    state.owner.uid = in.varint_of<std::uint32_t>();
    state.owner.gid = in.varint_of<std::uint32_t>();
  }
  values.owner = state.owner;
  if ((flags & kSameDevice) == 0) state.device = in.fixed<std::uint64_t>();
  held.device = state.device;
  held.inode = get_difference(in, state.inode);
  held.links = (flags & kOneLink) != 0 ? 1 : in.varint_of<std::uint32_t>();
  return check_values(values) && held.ctime.ns <= kNsMax;
}

void put_digest(Out& out, const Digest& digest) noexcept {
  out.u8(static_cast<std::uint8_t>(digest.kind));
  out.raw(digest.bytes.data(), digest.size());
}

bool get_digest(In& in, Digest& digest) noexcept {
  digest = Digest{};
  const unsigned kind = in.u8();
  if (kind != static_cast<unsigned>(DigestKind::sha256) && kind != static_cast<unsigned>(DigestKind::md5))
    return false;
  digest.kind = static_cast<DigestKind>(kind);
  const std::string_view bytes = in.raw(digest.size());
  if (!bytes.empty()) std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return true;
}

}  // namespace

void encode_fields(Out& out, const Record& record, FieldState& state) noexcept {
  const Seen& held = record.held;
  const unsigned flags = flags_of(record, state);
  out.fixed(static_cast<std::uint16_t>(flags));
  if ((flags & kSameMode) == 0) out.fixed(held.values.mode);
  out.varint(held.values.kind == Kind::directory ? names_code(record) : held.values.size);
  put_time(out, held.values.mtime, state.mtime_s);
  put_time(out, held.ctime, state.ctime_s);
  if ((flags & kSameOwner) == 0) {
    out.varint(held.values.owner.uid);
    out.varint(held.values.owner.gid);
  }
  if ((flags & kSameDevice) == 0) out.fixed(held.device);
  put_difference(out, held.inode, state.inode);
  if ((flags & kOneLink) == 0) out.varint(held.links);
  if (record.unmirrored != 0) out.u8(record.unmirrored);
  if ((flags & (kHasWanted | kWantedIsHeld)) == kHasWanted) put_wanted(out, *record.wanted, state.mtime_s);
  if (record.checksum) out.raw(record.checksum->data(), record.checksum->size());
  if (record.digest) put_digest(out, *record.digest);
  state.mode = held.values.mode;
  state.owner = held.values.owner;
  state.device = held.device;
}

bool decode_fields(In& in, Record& record, FieldState& state) noexcept {
  const unsigned flags = in.fixed<std::uint16_t>();
  if ((flags & kHasMoreFlags) != 0 || !get_held(in, flags, record.held, state)) return false;
  Values& values = record.held.values;
  const bool is_directory = values.kind == Kind::directory;
  if (!get_names(is_directory ? std::exchange(values.size, 0) : 0, record.names)) return false;
  record.unmirrored = (flags & kHasUnmirrored) != 0 ? in.u8() : 0;
  record.wanted.reset();
  if ((flags & kWantedIsHeld) != 0) {
    record.wanted = record.held.values;
  } else if ((flags & kHasWanted) != 0 && !get_wanted(in, record.wanted.emplace(), state.mtime_s)) {
    return false;
  }
  record.checksum.reset();
  if ((flags & kHasChecksum) != 0) {
    const std::string_view bytes = in.raw(sizeof(Checksum));
    if (!bytes.empty()) std::memcpy(record.checksum.emplace().data(), bytes.data(), bytes.size());
  }
  record.digest.reset();
  if ((flags & kHasDigest) != 0 && !get_digest(in, record.digest.emplace())) return false;
  record.racy = (flags & kRacy) != 0;
  record.retry = (flags & kRetry) != 0;
  record.boundary = (flags & kBoundary) != 0;
  return !in.failed() && (is_directory || !record.boundary);
}

bool check_record(const Record& record) noexcept {
  if (record.boundary && record.held.values.kind != Kind::directory) return false;
  if (record.held.values.kind == Kind::directory ? record.held.values.size != 0 : record.names.has_value())
    return false;
  return check_values(record.held.values) && record.held.ctime.ns <= kNsMax &&
         (!record.wanted || check_values(*record.wanted));
}

Result<void> encode_header(Out& out, const Header& header) {
  if (header.root_path.size() > kHeaderTextMax || header.source_id.size() > kHeaderTextMax)
    return fail(Errc::limit, fmt::format("a path or source id of more than {} bytes", kHeaderTextMax));
  out.ensure(kHeaderBytesMax);
  out.u8(static_cast<std::uint8_t>(header.role));
  out.text(header.root_path);
  out.text(header.source_id);
  out.fixed(header.root.type);
  out.fixed(header.root.volume_id);
  out.fixed(header.root.inode);
  out.u8(header.root.birth ? 1 : 0);
  if (header.root.birth) {
    out.fixed(bits(header.root.birth->s));
    out.fixed(header.root.birth->ns);
  }
  const Attributes& attributes = header.attributes;
  out.fixed(attributes.mtime_granularity_ns);
  out.fixed(attributes.mode_mask);
  out.u8(static_cast<std::uint8_t>((attributes.owner ? 1 : 0) | (attributes.symlinks ? 2 : 0) |
                                   (attributes.symlink_mtime ? 4 : 0) | (attributes.case_sensitive ? 8 : 0) |
                                   (header.attributes_known ? 16 : 0)));
  out.fixed(bits(attributes.mtime_least_s));
  out.fixed(bits(attributes.mtime_greatest_s));
  out.fixed(header.attributes_volume);
  out.fixed(header.attributes_type);
  out.fixed(header.attributes_uid);
  out.fixed(header.synced_count);
  out.fixed(header.root.links);
  out.fixed(header.root.levels);
  return {};
}

bool decode_header(In& in, Header& header) {
  const unsigned role = in.u8();
  if (role != static_cast<unsigned>(Role::source) && role != static_cast<unsigned>(Role::mirror))
    return false;
  header.role = static_cast<Role>(role);
  header.root_path = in.text(kHeaderTextMax);
  header.source_id = in.text(kHeaderTextMax);
  header.root.type = in.fixed<std::uint64_t>();
  header.root.volume_id = in.fixed<std::uint64_t>();
  header.root.inode = in.fixed<std::uint64_t>();
  header.root.birth.reset();
  if (in.u8() != 0) {
    FileTime birth;
    birth.s = static_cast<std::int64_t>(in.fixed<std::uint64_t>());
    birth.ns = in.fixed<std::uint32_t>();
    header.root.birth = birth;
  }
  Attributes& attributes = header.attributes;
  attributes.mtime_granularity_ns = in.fixed<std::uint32_t>();
  attributes.mode_mask = in.fixed<std::uint16_t>();
  const unsigned flags = in.u8();
  attributes.owner = (flags & 1) != 0;
  attributes.symlinks = (flags & 2) != 0;
  attributes.symlink_mtime = (flags & 4) != 0;
  attributes.case_sensitive = (flags & 8) != 0;
  header.attributes_known = (flags & 16) != 0;
  attributes.mtime_least_s = static_cast<std::int64_t>(in.fixed<std::uint64_t>());
  attributes.mtime_greatest_s = static_cast<std::int64_t>(in.fixed<std::uint64_t>());
  header.attributes_volume = in.fixed<std::uint64_t>();
  header.attributes_type = in.fixed<std::uint64_t>();
  header.attributes_uid = in.fixed<std::uint32_t>();
  header.synced_count = in.fixed<std::uint64_t>();
  header.root.links = in.fixed<std::uint64_t>();
  header.root.levels = in.fixed<std::uint32_t>();
  return !in.failed() && attributes.mtime_granularity_ns >= 1 &&
         attributes.mtime_granularity_ns <= 2'000'000'000 &&
         attributes.mtime_least_s <= attributes.mtime_greatest_s;
}

}  // namespace ssync::index
