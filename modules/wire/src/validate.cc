// The rules of each message. proto-spec/03 §1 states them field by field.
#include <algorithm>
#include <string>
#include <utility>

#include "ssync/model/entry_rules.h"
#include "ssync/model/path.h"
#include "ssync/wire/messages.h"

#include "fields.h"
#include "text.h"

namespace ssync::wire {
namespace {

constexpr std::uint32_t kGranularityMaxNs = 2'000'000'000;
constexpr std::uint8_t kDiffersMax = 63;

/// A row's place in its message, for the text of an error; the text is made only when there is one.
tl::unexpected<Error> refuse_row(std::size_t index, std::string_view why) {
  return fail(Errc::protocol, "row " + std::to_string(index) + " " + std::string(why));
}
tl::unexpected<Error> refuse_row(std::size_t index, const Error& error) {
  return fail(Errc::protocol, "row " + std::to_string(index) + ": " + error.message);
}

Result<void> check_rows(std::size_t rows) {
  if (rows <= kRowsMax) return {};
  return fail(Errc::limit, "has " + std::to_string(rows) + " rows, more than " + std::to_string(kRowsMax));
}

/// Replies to `next` count from 1; 0 is the acknowledgement of none.
Result<void> check_number(std::uint64_t number) {
  if (number > 0) return {};
  return fail(Errc::protocol, "field n is 0");
}

Result<void> check_range(const char* field, std::uint64_t value, std::uint64_t min, std::uint64_t max) {
  if (value >= min && value <= max) return {};
  return fail(Errc::protocol, std::string("field ") + field + " is " + std::to_string(value) +
                                  ", not within " + std::to_string(min) + " and " + std::to_string(max));
}

Result<void> check_guard(Guard guard) {
  return check_range("guard", static_cast<std::uint8_t>(guard), 0,
                     static_cast<std::uint8_t>(Guard::max_delete));
}

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

// Every location of a batch is checked once; rows of one directory share its view.
bool same_view(std::string_view a, std::string_view b) noexcept {
  return a.data() == b.data() && a.size() == b.size();
}

/// The rule that the row's values break, or nullptr.
const char* broken_rule(const Row& row) noexcept {
  if (const char* rule = broken_values_rule(row.values, row.target)) return rule;
  if (row.values.kind != Kind::file && (row.checksum || row.digest || row.origin))
    return "has content and is no file";
  return nullptr;
}

Result<void> check_root(const Row& row) {
  if (row.values.kind != Kind::directory) return fail(Errc::protocol, "is the root and no directory");
  return {};
}

Result<void> check_row(const Row& row, const Row* before) {
  if (before == nullptr || !same_view(row.location, before->location))
    SSYNC_TRY_VOID(check_location(row.location));
  const bool is_root = row.id == 0;
  if (is_root != (row.location.empty() && row.name.empty())) {
    return fail(Errc::protocol, is_root ? "is row 0 and not the root" : "is the root and not row 0");
  }
  if (is_root) return check_root(row);
  // The location was checked; the words are check_path()'s.
  if (broken_path_rule(row.path()) != nullptr) SSYNC_TRY_VOID(check_path(row.path(), AllowRoot::no));
  if (row.origin) SSYNC_TRY_VOID(check_path({row.origin->location, row.origin->name}, AllowRoot::no));
  return {};
}

/// Ids and paths in strict order, ids without gaps in a directory: `before` is the row before in the message.
const char* broken_order(const Row& row, const Row& before) noexcept {
  const bool same = same_view(row.location, before.location);
  if (same ? row.id != before.id + 1 : row.id <= before.id)
    return "does not have the id after the row before";
  const auto order = same ? before.name <=> row.name : compare_rows(before.path(), row.path());
  return order < 0 ? nullptr : "is not after the row before";
}

Result<void> check_list_row(const Row& row, const Row* before, std::size_t index) {
  if (row.id > kNumberMax) return refuse_row(index, "has an id of 2^63 or more");
  if (const char* rule = broken_rule(row)) return refuse_row(index, rule);
  if (auto checked = check_row(row, before); !checked) return refuse_row(index, std::move(checked).error());
  if (before == nullptr) return {};
  if (const char* rule = broken_order(row, *before)) return refuse_row(index, rule);
  return {};
}

bool needs_from(Op op) noexcept {
  return op >= Op::copy && op <= Op::stage_copy;
}

const char* broken_rule(const ChangeRow& row) noexcept {
  if (row.op < Op::make_directory || row.op > Op::set_metadata) return "has an unknown op";
  const bool may_be_special = row.op == Op::remove;
  if (!is_kind(row.kind) || row.kind == Kind::unreadable || (row.kind == Kind::special && !may_be_special))
    return "has an unknown kind";
  if (row.size > kNumberMax) return "has a size of 2^63 or more";
  if (row.differs > kDiffersMax) return "has unknown bits in what differs";
  const bool has_from = !row.from_name.empty();
  if (!has_from && !row.from_location.empty()) return "has half a path to change from";
  if (needs_from(row.op) && !has_from) return "has no path to change from";
  if (!needs_from(row.op) && row.op != Op::publish_staged && has_from) return "has a path to change from";
  return nullptr;
}

Result<void> check_change(const ChangeRow& row, std::size_t index) {
  if (const char* rule = broken_rule(row)) return refuse_row(index, rule);
  const auto root = row.op == Op::set_metadata ? AllowRoot::yes : AllowRoot::no;
  if (auto path = check_path({row.location, row.name}, root); !path)
    return refuse_row(index, std::move(path).error());
  if (row.from_name.empty()) return {};
  auto from = check_path({row.from_location, row.from_name}, AllowRoot::no);
  if (!from) return refuse_row(index, std::move(from).error());
  return {};
}

/// For rows that are a path and an id.
template <typename Rows>
Result<void> check_paths(const Rows& rows, AllowRoot root) {
  SSYNC_TRY_VOID(check_rows(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto path = check_path({rows[i].location, rows[i].name}, root);
    if (!path) return refuse_row(i, std::move(path).error());
  }
  return {};
}

Result<void> check_attributes(const Attributes& attributes) {
  SSYNC_TRY_VOID(check_range("attr.mtime", attributes.mtime_granularity_ns, 1, kGranularityMaxNs));
  if (attributes.mtime_least_s > attributes.mtime_greatest_s)
    return fail(Errc::protocol, "attr.tmin is later than attr.tmax");
  return check_range("attr.mode", attributes.mode_mask, 0, kModeMax);
}

Result<void> check_mirror_name(const char* field, std::string_view name) {
  if (const char* rule = broken_mirror_name_rule(name))
    return fail(Errc::protocol, std::string("field ") + field + " " + rule);
  return {};
}

}  // namespace

/// In UTF-8: U+0000 … U+001F, U+007F … U+009F, U+2028, U+2029.
const char* broken_mirror_name_rule(std::string_view name) noexcept {
  if (name.size() > kMirrorNameBytesMax) return "is longer than 255 bytes";
  if (!is_utf8(name)) return "is no UTF-8";
  if (name.find('/') != std::string_view::npos) return "has a '/'";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool is_c1 = byte == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0;
    const bool separates = name.substr(i, 3) == "\u2028" || name.substr(i, 3) == "\u2029";
    if (byte < 0x20 || byte == 0x7F || is_c1 || separates) return "has a control character";
  }
  return nullptr;
}

Result<void> validate(const Hello& message) {
  SSYNC_TRY_VOID(check_range("vmin", message.version_min, 1, message.version_max));
  if (message.version_min > kVersion || message.version_max < kVersion) {
    return fail(Errc::version, "speaks versions " + std::to_string(message.version_min) + " to " +
                                   std::to_string(message.version_max) + ", not " + std::to_string(kVersion));
  }
  SSYNC_TRY_VOID(check_range("src's length", message.source_id.size(), 1, kSourceIdBytesMax));
  SSYNC_TRY_VOID(check_range("opt.digest", static_cast<std::uint8_t>(message.options.digest_kind), 1, 2));
  SSYNC_TRY_VOID(check_range("anc's length", message.ancestry.size(), 1, kDepthMax));
  return check_mirror_name("mirror", message.mirror);
}

Result<void> validate(const FileList& message) {
  const std::vector<Row>& rows = message.batch.rows;
  SSYNC_TRY_VOID(check_rows(rows.size()));
  if (rows.empty()) {
    if (message.number > 0 && message.batch.last) return {};
    return fail(Errc::protocol, "has no rows, and is the first or not the last");
  }
  if (message.number == 0 && rows.front().id != 0)
    return fail(Errc::protocol, "filelist 0 does not begin with row 0");
  const Row* before = nullptr;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SSYNC_TRY_VOID(check_list_row(rows[i], before, i));
    before = &rows[i];
  }
  return {};
}

Result<void> validate(const DirectoryList& message) {
  const std::vector<DirectorySum>& rows = message.rows;
  SSYNC_TRY_VOID(check_rows(rows.size()));
  if (rows.empty() && (message.number == 0 || !message.last))
    return fail(Errc::protocol, "has no rows, and is the first or not the last");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (auto location = check_location(rows[i].location); !location)
      return refuse_row(i, std::move(location).error());
    const bool is_root = message.number == 0 && i == 0;
    if (is_root != rows[i].location.empty())
      return refuse_row(i, is_root ? "is the first and not the root" : "is the root and not the first");
    if (is_root && rows[i].rows == 0) return refuse_row(i, "is the root and lacks its own row");
    if (i > 0 && compare_locations(rows[i - 1].location, rows[i].location) >= 0)
      return refuse_row(i, "is not after the row before");
  }
  return {};
}

Result<void> validate(const Next& /*message*/) {
  return {};
}

Result<void> validate(const Digests& message) {
  return check_rows(message.rows.size());
}

Result<void> validate(const Fail& /*message*/) {
  return {};
}

Result<void> validate(const Bye& /*message*/) {
  return {};
}

Result<void> validate(const AskMirrors& message) {
  return check_mirror_name("after", message.after);
}

Result<void> validate(const Join& message) {
  if (all_zero(message.key)) return fail(Errc::protocol, "field key is all zero");
  return {};
}

Result<void> validate(const Welcome& message) {
  if (message.version != kVersion) {
    return fail(Errc::version,
                "chose version " + std::to_string(message.version) + ", which was not offered");
  }
  if (all_zero(message.session)) return fail(Errc::protocol, "field s is all zero");
  SSYNC_TRY_VOID(check_attributes(message.attributes));
  SSYNC_TRY_VOID(check_range("rows", message.rows_max, 1, kRowsMax));
  SSYNC_TRY_VOID(check_range("body", message.body_bytes_max, kRowBytesMax, kBodyBytesMax));
  SSYNC_TRY_VOID(check_range("win", message.list_window, 1, kListWindowMax));
  SSYNC_TRY_VOID(check_range("chunk", message.chunk_bytes_max, kChunkBytesMin, kChunkBytesMax));
  SSYNC_TRY_VOID(
      check_range("beat", message.heartbeat_ms, 1, static_cast<std::uint64_t>(kHeartbeatMax.count())));
  SSYNC_TRY_VOID(check_range("idle", message.idle_ms, message.heartbeat_ms,
                             static_cast<std::uint64_t>(kIdleMax.count())));
  if (message.notes.size() > kNotesMax) return fail(Errc::limit, "has too many notes");
  return check_mirror_name("mirror", message.mirror);
}

Result<void> validate(const Wait& message) {
  return check_range("why", static_cast<std::uint8_t>(message.reason), 0,
                     static_cast<std::uint8_t>(Wait::Reason::other_mirrors));
}

Result<void> validate(const FileListOk& /*message*/) {
  return {};
}

Result<void> validate(const Ok& /*message*/) {
  return {};
}

Result<void> validate(const FileRequest& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  return check_paths(message.rows, AllowRoot::no);
}

Result<void> validate(const DigestRequest& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  return check_paths(message.rows, AllowRoot::no);
}

Result<void> validate(const ListRequest& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  SSYNC_TRY_VOID(check_rows(message.rows.size()));
  for (std::size_t i = 0; i < message.rows.size(); ++i) {
    if (auto location = check_location(message.rows[i].location); !location)
      return refuse_row(i, std::move(location).error());
    if (i > 0 && message.rows[i].directory <= message.rows[i - 1].directory)
      return refuse_row(i, "is not after the row before");
  }
  return {};
}

Result<void> validate(const Plan& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  return check_guard(message.guard);
}

Result<void> validate(const Changes& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  SSYNC_TRY_VOID(check_rows(message.rows.size()));
  for (std::size_t i = 0; i < message.rows.size(); ++i)
    SSYNC_TRY_VOID(check_change(message.rows[i], i));
  return {};
}

Result<void> validate(const Problems& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  return check_paths(message.rows, AllowRoot::yes);
}

Result<void> validate(const SyncDone& message) {
  SSYNC_TRY_VOID(check_number(message.number));
  SSYNC_TRY_VOID(check_guard(message.stats.guard));
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (message.tree_digest.size() == 32 &&
      std::all_of(message.tree_digest.begin(), message.tree_digest.end(), is_digit)) {
    return {};
  }
  return fail(Errc::protocol, "field tree is not 32 lower-case hexadecimal digits");
}

Result<void> validate(const ErrorReply& message) {
  const auto code = static_cast<std::uint16_t>(message.code);
  const auto last = static_cast<std::uint16_t>(ErrorCode::revoked);
  if (code >= 1 && code <= last && code != 12) return {};
  return fail(Errc::protocol, "field code is " + std::to_string(code) + ", which is no code");
}

Result<void> validate(const Mirrors& message) {
  const std::vector<MirrorRow>& rows = message.rows;
  if (rows.size() > kMirrorRowsMax)
    return fail(Errc::limit, "has " + std::to_string(rows.size()) + " mirrors, more than " +
                                 std::to_string(kMirrorRowsMax));
  if (rows.empty() && message.more) return fail(Errc::protocol, "has no mirrors, and more");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (const char* rule = broken_mirror_name_rule(rows[i].name)) return refuse_row(i, rule);
    if (i > 0 && rows[i].name <= rows[i - 1].name) return refuse_row(i, "is not after the row before");
  }
  return {};
}

Result<void> validate(const Joined& message) {
  if (message.name.empty()) return fail(Errc::protocol, "field name is empty");
  return check_range("port", message.data_port, 1, 65535);
}

}  // namespace ssync::wire
