// Replies: server -> client. proto-spec/03 §1.
#include <algorithm>
#include <utility>

#include "ssync/base/text.h"
#include "ssync/wire/codec.h"

#include "counters.h"
#include "head.h"
#include "rows.h"

namespace ssync::wire {
namespace {

constexpr std::uint64_t kAnyContent = 1;  // flag of a request row

constexpr std::size_t kTreeDigestBytes = 32;

// Of a changes row.
constexpr std::uint64_t kIsNew = 1;
// Of a problems row.
constexpr std::uint64_t kSubtree = 1;
constexpr std::uint64_t kVanished = 2;
constexpr std::uint64_t kWarning = 4;
constexpr std::uint64_t kAllProblemFlags = kSubtree | kVanished | kWarning;
// What a digestrequest row asks for.
constexpr std::int64_t kNoLeastTime = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kNoGreatestTime = std::numeric_limits<std::int64_t>::max();

constexpr std::uint64_t kWhatChecksum = 1;
constexpr std::uint64_t kWhatDigest = 2;

/// A row's column 0: nil when it is the location of the row before.
class LocationPacker {
 public:
  explicit LocationPacker(Packer& out) : out_(out) {}
  void put(std::string_view location) {
    if (!first_ && before_ == location) {
      out_.nil();
    } else {
      out_.bytes(location);
      before_ = location;
      first_ = false;
    }
  }

 private:
  Packer& out_;
  std::string_view before_;
  bool first_ = true;
};

Buffer put(HeadPacker& head, const Welcome& welcome) {
  head.bytes("s", welcome.session);
  head.number("ver", welcome.version);
  head.number("tag", welcome.tag);
  head.text("prog", welcome.program, kTextBytesMax);
  MapPacker attributes;
  attributes.number("mtime", welcome.attributes.mtime_granularity_ns);
  attributes.number("mode", welcome.attributes.mode_mask);
  attributes.boolean("owner", welcome.attributes.owner);
  attributes.boolean("links", welcome.attributes.symlinks);
  attributes.boolean("ltime", welcome.attributes.symlink_mtime);
  attributes.boolean("case", welcome.attributes.case_sensitive);
  if (welcome.attributes.mtime_least_s != kNoLeastTime)
    attributes.signed_number("tmin", welcome.attributes.mtime_least_s);
  if (welcome.attributes.mtime_greatest_s != kNoGreatestTime)
    attributes.signed_number("tmax", welcome.attributes.mtime_greatest_s);
  head.map("attr", attributes);
  head.number("rows", welcome.rows_max);
  head.number("body", welcome.body_bytes_max);
  head.number("win", welcome.list_window);
  head.number("chunk", welcome.chunk_bytes_max);
  head.number("beat", welcome.heartbeat_ms);
  head.number("idle", welcome.idle_ms);
  head.boolean("synced", welcome.synced_before);
  if (welcome.directory_sums) head.boolean("sums", true);
  if (welcome.root) {
    Packer& root = head.at("root");
    root.array(2);
    root.number(welcome.root->device);
    root.number(welcome.root->inode);
  }
  Packer& notes = head.at("notes");
  const std::size_t count = std::min(welcome.notes.size(), kNotesMax);
  notes.array(count);
  for (std::size_t i = 0; i < count; ++i)
    notes.text(welcome.notes[i], kTextBytesMax);
  if (!welcome.mirror.empty()) head.word("mirror", welcome.mirror);
  return {};
}

Buffer put(HeadPacker& head, const Wait& wait) {
  head.number("why", static_cast<std::uint8_t>(wait.reason));
  head.number("done", wait.done);
  head.number("total", wait.total);
  head.text("text", wait.text, kTextBytesMax);
  if (wait.place > 0) head.number("place", wait.place);
  return {};
}

Buffer put(HeadPacker& head, const FileListOk& ok) {
  head.number("n", ok.number);
  return {};
}

Buffer put(HeadPacker& /*head*/, const Ok& /*ok*/) {
  return {};
}

Buffer put(HeadPacker& head, const FileRequest& request) {
  head.number("n", request.number);
  Packer body;
  LocationPacker location(body);
  body.array(request.rows.size());
  for (const RequestRow& row : request.rows) {
    body.array(5);
    location.put(row.location);
    body.bytes(row.name);
    if (row.digest) {
      body.bytes(row.digest->view());
    } else {
      body.nil();
    }
    body.number(row.row);
    body.number(row.any_content ? kAnyContent : 0);
  }
  return body.take();
}

Buffer put(HeadPacker& head, const DigestRequest& request) {
  head.number("n", request.number);
  Packer body;
  LocationPacker location(body);
  body.array(request.rows.size());
  for (const DigestQuery& row : request.rows) {
    body.array(4);
    location.put(row.location);
    body.bytes(row.name);
    body.number(row.row);
    body.number(row.digest ? kWhatDigest : kWhatChecksum);
  }
  return body.take();
}

Buffer put(HeadPacker& head, const ListRequest& request) {
  head.number("n", request.number);
  Packer body;
  body.array(request.rows.size());
  for (const AskedDirectory& row : request.rows) {
    body.array(2);
    body.bytes(row.location);
    body.number(row.directory);
  }
  return body.take();
}

void put_totals(HeadPacker& head, const PlanTotals& totals) {
  MapPacker map;
  for (const auto& counter : kPlanCounters)
    map.number(counter.name, totals.*counter.value);
  head.map("plan", map);
}

Buffer put(HeadPacker& head, const Plan& plan) {
  head.number("n", plan.number);
  head.number("guard", static_cast<std::uint8_t>(plan.guard));
  head.number("allow", plan.allowed);
  put_totals(head, plan.totals);
  return {};
}

Buffer put(HeadPacker& head, const Changes& changes) {
  head.number("n", changes.number);
  Packer body;
  LocationPacker location(body);
  body.array(changes.rows.size());
  for (const ChangeRow& row : changes.rows) {
    const bool moved = !row.from_name.empty();
    body.array(moved ? 9 : 7);
    location.put(row.location);
    body.bytes(row.name);
    body.number(static_cast<std::uint8_t>(row.op));
    body.number(static_cast<std::uint8_t>(row.kind));
    body.number(row.size);
    body.number(row.is_new ? kIsNew : 0);
    body.number(row.differs);
    if (!moved) continue;
    body.bytes(row.from_location);
    body.bytes(row.from_name);
  }
  return body.take();
}

Buffer put(HeadPacker& head, const Problems& problems) {
  head.number("n", problems.number);
  Packer body;
  LocationPacker location(body);
  body.array(problems.rows.size());
  for (const Problem& row : problems.rows) {
    const bool of_source = row.row != kNoRow;
    body.array(of_source ? 6 : 5);
    location.put(row.location);
    body.bytes(row.name);
    body.text(row.text, kTextBytesMax);
    body.signed_number(row.sys_errno);
    body.number((row.subtree ? kSubtree : 0U) | (row.vanished ? kVanished : 0U) |
                (row.warning ? kWarning : 0U));
    if (of_source) body.number(row.row);
  }
  return body.take();
}

Buffer put(HeadPacker& head, const SyncDone& done) {
  head.number("n", done.number);
  put_totals(head, done.stats.plan);
  MapPacker stats;
  for (const auto& counter : kSyncCounters)
    stats.number(counter.name, done.stats.*counter.value);
  stats.number("guard", static_cast<std::uint8_t>(done.stats.guard));
  head.map("stats", stats);
  head.word("tree", done.tree_digest);
  head.boolean("full", done.complete);
  return {};
}

Buffer put(HeadPacker& head, const ErrorReply& error) {
  head.number("code", static_cast<std::uint16_t>(error.code));
  head.boolean("retry", error.retry);
  head.text("text", error.text, kTextBytesMax);
  return {};
}

Buffer put(HeadPacker& head, const Mirrors& mirrors) {
  head.boolean("more", mirrors.more);
  Packer body;
  body.array(mirrors.rows.size());
  for (const MirrorRow& row : mirrors.rows) {
    body.array(2);
    body.word(row.name);
    body.text(row.comment, kTextBytesMax);
  }
  return body.take();
}

Buffer put(HeadPacker& head, const Joined& joined) {
  head.text("name", joined.name, kTextBytesMax);
  head.number("port", joined.data_port);
  return {};
}

Attributes get_attributes(Fields in) {
  Attributes attributes;
  attributes.mtime_granularity_ns = in.small<std::uint32_t>("mtime");
  attributes.mode_mask = in.small<std::uint16_t>("mode");
  attributes.owner = in.boolean("owner");
  attributes.symlinks = in.boolean("links");
  attributes.symlink_mtime = in.boolean("ltime");
  attributes.case_sensitive = in.boolean("case");
  if (in.has("tmin")) attributes.mtime_least_s = in.signed_number("tmin", kNoLeastTime, kNoGreatestTime);
  if (in.has("tmax")) attributes.mtime_greatest_s = in.signed_number("tmax", kNoLeastTime, kNoGreatestTime);
  return attributes;
}

Welcome get_welcome(Fields& in) {
  Welcome welcome;
  welcome.session = in.fixed<16>("s");
  welcome.version = in.small<std::uint8_t>("ver");
  welcome.tag = in.number("tag", kAnyNumber);
  welcome.program = in.text("prog");
  welcome.attributes = get_attributes(in.map("attr"));
  welcome.rows_max = in.small<std::uint32_t>("rows");
  welcome.body_bytes_max = in.small<std::uint32_t>("body");
  welcome.list_window = in.small<std::uint32_t>("win");
  welcome.chunk_bytes_max = in.small<std::uint32_t>("chunk");
  welcome.heartbeat_ms = in.small<std::uint32_t>("beat");
  welcome.idle_ms = in.small<std::uint32_t>("idle");
  welcome.synced_before = in.boolean("synced");
  welcome.directory_sums = in.has("sums") && in.boolean("sums");
  if (in.has("root")) {
    const std::vector<std::uint64_t> numbers = in.numbers("root", 2);
    if (numbers.size() != 2) in.refuse(Errc::protocol, "root", "is not a device and an inode");
    if (numbers.size() == 2) welcome.root = NodeId{numbers[0], numbers[1]};
  }
  welcome.notes = in.texts("notes", kNotesMax, kTextBytesMax);
  if (in.has("mirror")) welcome.mirror = in.text("mirror", kMirrorNameBytesMax);
  return welcome;
}

Wait get_wait(Fields& in) {
  Wait wait;
  wait.reason = static_cast<Wait::Reason>(in.small<std::uint8_t>("why"));
  wait.done = in.number("done");
  wait.total = in.number("total");
  wait.text = in.text("text");
  wait.place = in.optional_number("place").value_or(0);
  return wait;
}

FileListOk get_filelist_ok(Fields& in) {
  return {.number = in.number("n")};
}
Ok get_ok(Fields& /*in*/) {
  return {};
}

PlanTotals get_totals(Fields in) {
  PlanTotals totals;
  for (const auto& counter : kPlanCounters)
    totals.*counter.value = in.number(counter.name);
  return totals;
}

Plan get_plan(Fields& in) {
  Plan plan;
  plan.number = in.number("n");
  plan.guard = static_cast<Guard>(in.small<std::uint8_t>("guard"));
  plan.allowed = in.number("allow");
  plan.totals = get_totals(in.map("plan"));
  return plan;
}

SyncDone get_sync_done(Fields& in) {
  SyncDone done;
  done.number = in.number("n");
  done.stats.plan = get_totals(in.map("plan"));
  Fields stats = in.map("stats");
  for (const auto& counter : kSyncCounters)
    done.stats.*counter.value = stats.number(counter.name);
  done.stats.guard = static_cast<Guard>(stats.small<std::uint8_t>("guard"));
  done.tree_digest = in.text("tree", kTreeDigestBytes);
  done.complete = in.boolean("full");
  return done;
}

ErrorReply get_error(Fields& in) {
  ErrorReply error;
  error.code = static_cast<ErrorCode>(in.small<std::uint16_t>("code"));
  error.retry = in.boolean("retry");
  error.text = in.text("text");
  return error;
}

void get_row(RowReader& in, RequestRow& row, LocationBefore& before) {
  in.need(4);
  row.location = in.location(before);
  row.name = in.bytes(1);
  row.digest = in.digest(2);
  row.row = in.number(3);
  row.any_content = in.number(4, kAnyContent) != 0;
}

void get_row(RowReader& in, AskedDirectory& row, LocationBefore& /*before*/) {
  in.need(2);
  row.location = in.bytes(0);
  row.directory = in.number(1);
}

void get_row(RowReader& in, DigestQuery& row, LocationBefore& before) {
  in.need(4);
  row.location = in.location(before);
  row.name = in.bytes(1);
  row.row = in.number(2);
  const std::uint64_t what = in.number(3, kWhatDigest);
  if (what < kWhatChecksum) in.refuse(3, "is neither 1 nor 2");
  row.digest = what == kWhatDigest;
}

void get_row(RowReader& in, ChangeRow& row, LocationBefore& before) {
  in.need(7);
  row.location = in.location(before);
  row.name = in.bytes(1);
  row.op = static_cast<Op>(in.small<std::uint8_t>(2));
  row.kind = static_cast<Kind>(in.small<std::uint8_t>(3));
  row.size = in.number(4);
  row.is_new = in.number(5, kIsNew) != 0;
  row.differs = in.small<std::uint8_t>(6);
  row.from_location = in.bytes_or_nil(7);
  row.from_name = in.bytes_or_nil(8);
}

void get_row(RowReader& in, Problem& row, LocationBefore& before) {
  in.need(5);
  row.location = in.location(before);
  row.name = in.bytes(1);
  row.text = in.text(2);
  const std::int64_t sys_errno = in.signed_number(3);
  row.sys_errno = static_cast<int>(sys_errno);
  if (sys_errno != row.sys_errno) in.refuse(3, "is out of range");
  const std::uint64_t flags = in.number(4, kAllProblemFlags);
  row.subtree = (flags & kSubtree) != 0;
  row.vanished = (flags & kVanished) != 0;
  row.warning = (flags & kWarning) != 0;
  if (in.has(5)) row.row = in.number(5);
}

template <typename Message>
Result<ReplyBody> fields_only(const Head& head, const Frames& frames, Message (*get)(Fields&)) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(Message message, read_fields(head, get));
  SSYNC_TRY_VOID(validate(message));
  return message;
}

Joined get_joined(Fields& in) {
  return Joined{.name = in.text("name"), .data_port = in.small<std::uint16_t>("port")};
}

template <typename Message>
Result<ReplyBody> with_rows(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_body(frames));
  Message message;
  SSYNC_TRY(message.number, read_fields(head, [](Fields& in) { return in.number("n"); }));
  LocationBefore before;
  SSYNC_TRY_VOID(read_rows(
      frames.body.bytes(), [&](std::size_t rows) { message.rows.reserve(rows); },
      [&](RowReader& in) { get_row(in, message.rows.emplace_back(), before); }));
  SSYNC_TRY_VOID(validate(message));
  return message;
}

Result<ReplyBody> get_mirrors(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_body(frames));
  Mirrors mirrors;
  SSYNC_TRY(mirrors.more, read_fields(head, [](Fields& in) { return in.boolean("more"); }));
  SSYNC_TRY_VOID(read_rows(
      frames.body.bytes(), [&](std::size_t rows) { mirrors.rows.reserve(rows); },
      [&](RowReader& in) {
        in.need(2);
        MirrorRow& row = mirrors.rows.emplace_back();
        row.name = in.text(0);
        row.comment = in.text(1);
      }));
  SSYNC_TRY_VOID(validate(mirrors));
  return mirrors;
}

Result<ReplyBody> get_body(const Head& head, const Frames& frames) {
  if (head.type == "welcome") return fields_only(head, frames, get_welcome);
  if (head.type == "wait") return fields_only(head, frames, get_wait);
  if (head.type == "filelist:ok") return fields_only(head, frames, get_filelist_ok);
  if (head.type == "ok") return fields_only(head, frames, get_ok);
  if (head.type == "filerequest") return with_rows<FileRequest>(head, frames);
  if (head.type == "digestrequest") return with_rows<DigestRequest>(head, frames);
  if (head.type == "listrequest") return with_rows<ListRequest>(head, frames);
  if (head.type == "plan") return fields_only(head, frames, get_plan);
  if (head.type == "changes") return with_rows<Changes>(head, frames);
  if (head.type == "problems") return with_rows<Problems>(head, frames);
  if (head.type == "sync:done") return fields_only(head, frames, get_sync_done);
  if (head.type == "error") return fields_only(head, frames, get_error);
  if (head.type == "mirrors") return get_mirrors(head, frames);
  if (head.type == "joined") return fields_only(head, frames, get_joined);
  return fail(Errc::protocol, "is no reply that is known");
}

// Array headers, integers of 9 bytes, flags; what is beside the strings of any row.
constexpr std::size_t kBesideStrings = 64;

}  // namespace

std::size_t body_bytes(const RequestRow& row) noexcept {
  return row.location.size() + row.name.size() + kBesideStrings;
}
std::size_t body_bytes(const DigestQuery& row) noexcept {
  return row.location.size() + row.name.size() + kBesideStrings;
}
std::size_t body_bytes(const DirectorySum& row) noexcept {
  return row.location.size() + kBesideStrings;
}
std::size_t body_bytes(const AskedDirectory& row) noexcept {
  return row.location.size() + kBesideStrings;
}
std::size_t body_bytes(const ChangeRow& row) noexcept {
  return row.location.size() + row.name.size() + row.from_location.size() + row.from_name.size() +
         kBesideStrings;
}
std::size_t body_bytes(const Problem& row) noexcept {
  return row.location.size() + row.name.size() + kTextBytesMax + kBesideStrings;
}

Frames encode(const Reply& reply) {
  HeadPacker head(name_of(reply.body), reply.seq);
  Buffer body = std::visit([&](const auto& message) { return put(head, message); }, reply.body);
  return head.finish(std::move(body));
}

Result<Reply> decode_reply(Frames frames) {
  SSYNC_TRY(const Head head, open_head(frames));
  auto body = get_body(head, frames);
  if (!body) return fail(context(std::move(body).error(), escape(head.type)));
  return Reply{.seq = head.seq, .body = *std::move(body)};
}

}  // namespace ssync::wire
