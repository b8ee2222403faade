#include "ssync/wire/describe.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "ssync/base/text.h"

#include "counters.h"
#include "text.h"

namespace ssync::wire {
namespace {

std::string line(std::string_view bytes, std::size_t max_bytes) {
  return fit_text(bytes, max_bytes);
}

/// Path bytes as text; only as many are looked at as can be shown.
std::string shown(std::string_view location, std::string_view name) {
  if (location.empty() && name.empty()) return ".";
  const std::string_view head = location.substr(0, kTapDetailBytesMax);
  const std::string_view tail = name.substr(0, kTapDetailBytesMax);
  return escape(head.empty() ? std::string(tail) : fmt::format("{}/{}", head, tail));
}

const char* yes_no(bool value) noexcept {
  return value ? "yes" : "no";
}

const char* word_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::file:
      return "file";
    case Kind::directory:
      return "directory";
    case Kind::symlink:
      return "symlink";
    case Kind::unreadable:
      return "unreadable";
    case Kind::special:
      return "special";
  }
  return "?";
}

const char* word_of(Wait::Reason reason) noexcept {
  static constexpr std::array kWords = {"heartbeat", "other_session", "scanning",
                                        "comparing", "writing",       "other_mirrors"};
  const auto index = static_cast<std::size_t>(reason);
  return index < kWords.size() ? kWords[index] : "?";
}

std::string summary(const Hello& hello) {
  const SyncOptions& o = hello.options;
  std::string out = fmt::format("{}, source {}, delete={}", escape(cut(hello.program, 128)),
                                escape(hello.source_id.substr(0, 256)), yes_no(o.delete_extra));
  if (o.max_delete) out += fmt::format(" max-delete={}", *o.max_delete);
  out += fmt::format(" checksum={} verify={} dry-run={} fsync={} digest={}", yes_no(o.compare_content),
                     yes_no(o.verify), yes_no(o.dry_run), yes_no(o.durable),
                     o.digest_kind == DigestKind::md5 ? "md5" : "sha256");
  if (!hello.mirror.empty()) out += fmt::format(", mirror {}", escape(hello.mirror));
  return out;
}
std::string summary(const FileList& list) {
  return fmt::format("number {}, {} rows{}", list.number, list.batch.rows.size(),
                     list.batch.last ? ", last" : "");
}
std::string summary(const DirectoryList& list) {
  return fmt::format("number {}, {} rows{}", list.number, list.rows.size(), list.last ? ", last" : "");
}
std::string summary(const Next& next) {
  return fmt::format("ack {}", next.ack);
}
std::string summary(const Digests& digests) {
  return fmt::format("{} rows", digests.rows.size());
}
std::string summary(const Fail& fail) {
  return fmt::format("row {}{}, errno {}, {}", fail.row, fail.vanished ? " vanished" : "", fail.sys_errno,
                     escape(fail.text));
}
std::string summary(const Bye& bye) {
  return fmt::format("code {} {}", bye.code, escape(bye.text));
}
std::string summary(const AskMirrors& ask) {
  return ask.after.empty() ? "all" : "after " + escape(ask.after);
}
std::string summary(const Join& join) {
  return "key " + to_hex(join.key);
}
std::string summary(const Welcome& welcome) {
  const Attributes& a = welcome.attributes;
  std::string out = fmt::format(
      "{}, version {}, mtime granularity {} ns, owner={} symlinks={} case-sensitive={} synced-before={}",
      escape(cut(welcome.program, 128)), welcome.version, a.mtime_granularity_ns, yes_no(a.owner),
      yes_no(a.symlinks), yes_no(a.case_sensitive), yes_no(welcome.synced_before));
  if (!welcome.mirror.empty()) out += fmt::format(", mirror {}", escape(welcome.mirror));
  return out;
}
std::string summary(const Wait& wait) {
  const std::string where = wait.place > 0 ? fmt::format("place {} of {}", wait.place, wait.total)
                                           : fmt::format("{} of {}", wait.done, wait.total);
  return fmt::format("{} {}{}{}", word_of(wait.reason), where, wait.text.empty() ? "" : ": ",
                     escape(wait.text));
}
std::string summary(const FileListOk& ok) {
  return fmt::format("number {}", ok.number);
}
std::string summary(const Ok& /*ok*/) {
  return {};
}
std::string summary(const FileRequest& request) {
  return fmt::format("number {}, {} rows", request.number, request.rows.size());
}
std::string summary(const DigestRequest& request) {
  return fmt::format("number {}, {} rows", request.number, request.rows.size());
}
std::string summary(const ListRequest& request) {
  return fmt::format("number {}, {} rows", request.number, request.rows.size());
}
std::string summary(const Plan& plan) {
  const PlanTotals& t = plan.totals;
  std::string out = fmt::format(
      "number {}, {} requests ({}), {} created, {} copies, {} renames, {} metadata, {} deletes", plan.number,
      t.requests, human_bytes(t.request_bytes), t.created, t.copies, t.renames, t.metadata, t.deletes);
  if (plan.guard != Guard::none) {
    out += fmt::format(", guard {} {} of {} ({} of {}), {} of {} places, allowed {}", guard_name(plan.guard),
                       t.deletes, t.mirror_entries, human_bytes(t.delete_bytes), human_bytes(t.mirror_bytes),
                       t.places_lost, t.places, plan.allowed);
  }
  return out;
}
std::string summary(const Changes& changes) {
  return fmt::format("number {}, {} rows", changes.number, changes.rows.size());
}
std::string summary(const Problems& problems) {
  return fmt::format("number {}, {} rows", problems.number, problems.rows.size());
}
std::string summary(const SyncDone& done) {
  const SyncStats& s = done.stats;
  return fmt::format("number {}, {} transferred ({}), {} deleted, {} problems, tree {}{}", done.number,
                     s.transferred_files, human_bytes(s.transferred_bytes), s.deleted, s.problems,
                     escape(done.tree_digest), done.complete ? "" : ", incomplete");
}
std::string summary(const ErrorReply& error) {
  return fmt::format("{}{}: {}", name_of(error.code), error.retry ? " (retry)" : "", escape(error.text));
}
std::string summary(const Mirrors& mirrors) {
  return fmt::format("{} rows{}", mirrors.rows.size(), mirrors.more ? ", more" : "");
}

std::string summary(const Joined& joined) {
  return fmt::format("{}, data port {}", escape(joined.name), joined.data_port);
}

std::string detail(const MirrorRow& row) {
  return fmt::format("'{}'{}{}", escape(row.name), row.comment.empty() ? "" : " ", escape(row.comment));
}
std::string detail(const Row& row) {
  std::string out =
      fmt::format("#{} {} {:04o} {} B ", row.id, word_of(row.values.kind), row.values.mode, row.values.size);
  out += shown(row.location, row.name);
  if (!row.target.empty()) out += " -> " + escape(row.target.substr(0, kTapDetailBytesMax));
  if (row.origin) out += " was " + shown(row.origin->location, row.origin->name);
  if (row.doubt) out += " (doubt)";
  return out;
}
std::string detail(const DirectorySum& row) {
  return fmt::format("{} {} rows, {}", shown({}, row.location), row.rows,
                     row.sum ? "sum " + to_hex(to_bytes(*row.sum)) : std::string("unknown"));
}
std::string detail(const AskedDirectory& row) {
  return fmt::format("#{} {}", row.directory, shown({}, row.location));
}
std::string detail(const DigestRow& row) {
  if (!row.checksum && !row.digest) return fmt::format("#{} unreadable", row.row);
  std::string out = fmt::format("#{}", row.row);
  if (row.checksum) out += " checksum " + to_hex(*row.checksum);
  if (row.digest) out += " digest " + to_hex(row.digest->view());
  return out;
}
std::string detail(const RequestRow& row) {
  return fmt::format("#{} {}{}", row.row, shown(row.location, row.name),
                     row.any_content ? " (any content)" : "");
}
std::string detail(const DigestQuery& row) {
  return fmt::format("#{} {} {}", row.row, row.digest ? "digest" : "checksum", shown(row.location, row.name));
}
std::string detail(const ChangeRow& row) {
  std::string out =
      fmt::format("{} {} {}", op_name(row.op), word_of(row.kind), shown(row.location, row.name));
  if (!row.from_name.empty()) out += " from " + shown(row.from_location, row.from_name);
  return out;
}
std::string detail(const Problem& row) {
  return fmt::format("{}: {}", shown(row.location, row.name), escape(row.text));
}
std::string detail(const Segment& segment) {
  std::string out = fmt::format("#{} {}+{}{}", segment.row, segment.offset, segment.length,
                                segment.restart ? " restart" : "");
  if (segment.last) out += fmt::format(" last, {} B", segment.ending.size);
  return out;
}
std::string detail(const std::string& note) {
  return escape(note);
}

template <typename Rows>
std::vector<std::string> details(const Rows& rows) {
  std::vector<std::string> out;
  const std::size_t count = std::min(rows.size(), kTapDetailsMax);
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(line(detail(rows[i]), kTapDetailBytesMax));
  return out;
}

std::vector<std::string> of(const FileList& list) {
  return details(list.batch.rows);
}
std::vector<std::string> of(const Welcome& welcome) {
  return details(welcome.notes);
}
template <typename Message>
std::vector<std::string> of(const Message& message) {
  if constexpr (requires { message.rows.size(); }) {
    return details(message.rows);
  } else {
    return {};
  }
}

template <typename Body>
std::string summary_line(const Body& body) {
  return line(std::visit([](const auto& message) { return summary(message); }, body), kTextBytesMax);
}

}  // namespace

std::string summary_of(const Request& request) {
  return summary_line(request.body);
}
std::string summary_of(const Reply& reply) {
  return summary_line(reply.body);
}

std::string summary_of(const DataHead& head) {
  switch (head.type) {
    case DataType::attach:
      return {};
    case DataType::credit:
      return fmt::format("number {}, limit {}", head.number, head.offset);
    case DataType::data:
      break;
  }
  std::uint64_t bytes = 0;
  for (const Segment& segment : head.segments)
    bytes += segment.length;
  return fmt::format("number {}, offset {}, {} segments, {}", head.number, head.offset, head.segments.size(),
                     human_bytes(bytes));
}

std::vector<std::string> details_of(const Request& request) {
  return std::visit([](const auto& message) { return of(message); }, request.body);
}
std::vector<std::string> details_of(const Reply& reply) {
  return std::visit([](const auto& message) { return of(message); }, reply.body);
}
std::vector<std::string> details_of(const DataHead& head) {
  return details(head.segments);
}

}  // namespace ssync::wire
