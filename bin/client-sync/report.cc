#include "report.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "ssync/base/log.h"
#include "ssync/base/text.h"

#include "differences.h"
#include "json_report.h"

namespace ssync::client_program {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

char kind_letter(Kind kind) {
  switch (kind) {
    case Kind::directory:
      return 'd';
    case Kind::symlink:
      return 'L';
    default:
      return 'f';
  }
}

/// "cst......": what differs, in rsync's columns.
std::string columns(const wire::ChangeRow& row) {
  if (row.is_new) return "+++++++++";
  std::string out = ".........";
  const auto mark = [&](unsigned bit, std::size_t column, char letter) {
    if ((row.differs >> bit & 1U) != 0) out[column] = letter;
  };
  mark(0, 0, 'c');
  mark(1, 1, 's');
  mark(2, 2, 't');
  mark(3, 3, 'p');
  mark(4, 4, 'o');
  mark(5, 5, 'g');
  return out;
}

std::string path_of(const wire::ChangeRow& row) {
  std::string path = printable({row.location, row.name});
  if (row.kind == Kind::directory) path += '/';
  return path;
}

std::string eta(double seconds) {
  if (seconds > 359999) return "??:??:??";
  const auto s = static_cast<std::uint64_t>(seconds + 0.5);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string guard_text(const wire::Plan& plan) {
  const PlanTotals& t = plan.totals;
  const std::string numbers =
      fmt::format("{} of {} entries ({} of {}) on the mirror would be deleted", with_commas(t.deletes),
                  with_commas(t.mirror_entries), human_bytes(t.delete_bytes), human_bytes(t.mirror_bytes));
  const std::string way_out =
      fmt::format("If that is right, say --max-delete={} or more. Nothing was changed", t.deletes);
  switch (plan.guard) {
    case Guard::over_half:
      return fmt::format(
          "{}, and {} of its {} top-level directories would be gone or empty: that looks like an accident (a "
          "disk "
          "that is not mounted?). {}",
          numbers, with_commas(t.places_lost), with_commas(t.places), way_out);
    case Guard::source_empty:
      return fmt::format("the source is empty: {}. {}", numbers, way_out);
    case Guard::never_synced:
      return fmt::format("{}, and this mirror was never synced before. {}", numbers, way_out);
    default:
      return {};
  }
}

}  // namespace

std::string itemize(const wire::ChangeRow& row) {
  const std::string path = path_of(row);
  const char kind = kind_letter(row.kind);
  switch (row.op) {
    case Op::remove:
    case Op::remove_directory:
      return "*deleting   " + path;
    case Op::rename:
    case Op::rename_directory:
    case Op::stage_rename:
      return fmt::format("*renamed    {} -> {}", printable({row.from_location, row.from_name}), path);
    case Op::exchange:
      return fmt::format("*exchanged  {} <-> {}", printable({row.from_location, row.from_name}), path);
    case Op::copy:
    case Op::stage_copy:
      return fmt::format("*copied     {} -> {}", printable({row.from_location, row.from_name}), path);
    case Op::request:
      return fmt::format("<{}{} {}", kind, columns(row), path);
    case Op::set_metadata:
      return fmt::format(".{}{} {}", kind, columns(row), path);
    default:
      return fmt::format("c{}{} {}", kind, columns(row), path);
  }
}

Result<Report> Report::open(const Options& options) {
  const LogOptions log_options{options.json ? LogFormat::json : LogFormat::plain, options.log_file,
                               options.json ? 0 : options.verbosity};
  SSYNC_TRY(auto log, make_logger(log_options));
  SSYNC_TRY(auto errors, make_error_logger("client-sync", log_options));
  return Report(options, std::move(log), std::move(errors));
}

Report::Report(const Options& options, std::shared_ptr<spdlog::logger> log,
               std::shared_ptr<spdlog::logger> errors)
    : options_(options), log_(std::move(log)), errors_(std::move(errors)) {
  progress_ = options.progress.value_or(isatty(STDERR_FILENO) != 0 && options.verbosity >= 0);
}

bool Report::wants_changes() const {
  return options_.json || options_.verbosity > 0 || (options_.dry_run && options_.verbosity >= 0) ||
         (options_.verify && options_.verbosity >= 0);
}

void Report::line(std::string_view text) {
  if (options_.json) return;
  progress_ended();
  log_->info("{}", escape_text(text));
}

void Report::reopen() {
  for (spdlog::logger* const logger : {log_.get(), errors_.get()}) {
    if (const Result<void> opened = reopen_log_file(*logger); !opened) error(opened.error().text());
  }
}

void Report::event(std::string_view name, const json& fields) {
  if (options_.json) log_->info("{}", programs::event_line(name, fields));
}

void Report::notice(std::string_view text) {
  if (options_.json) return event("notice", {{"text", text}});
  line(text);
}

void Report::error(std::string_view text) {
  progress_ended();
  errors_->error("{}", escape_text(text));
  event("error", {{"text", text}});
}

void Report::problem(const Problem& problem) {
  progress_ended();
  errors_->warn("{}: {}", printable(problem.path()), escape_text(problem.text));
  event("problem", programs::to_json(problem));
}

void Report::plan(const wire::Plan& plan) {
  json fields = programs::to_json(plan.totals);
  fields["guard"] = guard_name(plan.guard);
  event("plan", fields);
  if (options_.verbosity > 0 || options_.dry_run) {
    const PlanTotals& t = plan.totals;
    line(fmt::format(
        "Plan: send {} ({}), reuse {} ({}), create {}, delete {}, change metadata of {}; {} unchanged",
        with_commas(t.requests), human_bytes(t.request_bytes), with_commas(t.copies + t.renames),
        human_bytes(t.reused_bytes), with_commas(t.created), with_commas(t.deletes), with_commas(t.metadata),
        with_commas(t.unchanged)));
  }
}

void Report::guard_holds(const wire::Plan& plan, bool stops) {
  const std::string text = guard_text(plan);
  stops ? error(text) : notice(text);
}

void Report::connected(std::string_view server, bool synced_before) {
  event("connected", {{"server", server}, {"synced_before", synced_before}});
}

void Report::changes(const std::vector<wire::ChangeRow>& rows) {
  if (options_.verify) return differences(rows);
  for (const wire::ChangeRow& row : rows) {
    if (!options_.json) {
      if (row.op != Op::publish_staged) line(itemize(row));
      continue;
    }
    json fields = {{"op", op_name(row.op)},
                   {"path", printable({row.location, row.name})},
                   {"bytes", row.size},
                   {"new", row.is_new}};
    if (!row.from_name.empty()) fields["from"] = printable({row.from_location, row.from_name});
    event("change", fields);
  }
}

void Report::differences(const std::vector<wire::ChangeRow>& rows) {
  for (const wire::ChangeRow& row : rows) {
    for (const Difference& difference : differences_of(row)) {
      if (options_.json) {
        event("difference", {{"path", difference.path}, {"what", difference.what}});
      } else if (options_.verbosity > 0 || differences_ < kDifferencesNamed) {
        line(fmt::format("{}: {}", difference.path, difference.what));
      }
      ++differences_;
    }
  }
}

std::string text_of(const source::NotMirrored& left_out) {
  const auto some = [](std::uint64_t count, std::string_view one, std::string_view more) {
    return fmt::format("{} {}", with_commas(count), count == 1 ? one : more);
  };
  std::vector<std::string> parts;
  if (left_out.attributes > 0) {
    std::vector<std::string> kinds;
    if (left_out.acls > 0) kinds.push_back(some(left_out.acls, "ACL", "ACLs"));
    if (left_out.capabilities > 0) kinds.push_back(some(left_out.capabilities, "capability", "capabilities"));
    parts.push_back("extended attributes of " + some(left_out.attributes, "entry", "entries") +
                    (kinds.empty() ? std::string() : fmt::format(" ({})", fmt::join(kinds, ", "))));
  }
  if (left_out.hard_links > 0)
    parts.push_back(
        some(left_out.hard_links, "hard link as a separate file", "hard links as separate files"));
  if (left_out.specials > 0)
    parts.push_back(some(left_out.specials, "socket, fifo or device", "sockets, fifos or devices"));
  if (left_out.reserved > 0)
    parts.push_back(some(left_out.reserved, "entry", "entries") +
                    " named as server-sync's own (.server-sync.*)");
  return fmt::format("{}", fmt::join(parts, ", "));
}

void Report::not_mirrored(const source::NotMirrored& left_out) {
  if (left_out == not_mirrored_) return;
  not_mirrored_ = left_out;
  const std::string text = text_of(left_out);
  line("Not mirrored: " + (text.empty() ? "nothing any more" : text));
}

void Report::sync_done(const source::Ended& ended) {
  not_mirrored(ended.not_mirrored);
  progress_ended();
  const wire::SyncDone& done = ended.done;
  const SyncStats& s = done.stats;
  if (options_.json) {
    json fields = programs::to_json(s);
    fields["tree_digest"] = ended.tree_digest;
    fields["mirror_digest"] = done.tree_digest;
    fields["equal"] = ended.equal;
    fields["not_mirrored"] = {{"extended_attributes", not_mirrored_.attributes},
                              {"acls", not_mirrored_.acls},
                              {"capabilities", not_mirrored_.capabilities},
                              {"hard_links", not_mirrored_.hard_links},
                              {"specials", not_mirrored_.specials},
                              {"reserved", not_mirrored_.reserved}};
    fields["dry_run"] = options_.dry_run;
    fields["bytes_sent"] = ended.traffic.sent;
    fields["bytes_received"] = ended.traffic.received;
    fields["seconds"] = ended.seconds;
    return event("sync_done", fields);
  }
  if (options_.stats) stats(s, ended.traffic, ended.seconds);
  if (options_.verify && options_.verbosity == 0 && differences_ > kDifferencesNamed)
    line(fmt::format("... and {} more (-v names all)", with_commas(differences_ - kDifferencesNamed)));
  if (options_.dry_run && !options_.verify) return line("Sync done (DRY RUN): nothing was changed");
  if (options_.verify)
    return line(fmt::format("Verified: source {}, mirror {}: {}", ended.tree_digest, done.tree_digest,
                            ended.equal ? "equal" : "different"));
  line(fmt::format(
      "Sync done: {} sent ({}), {} reused, {} created, {} deleted, {} metadata; tree {} ({:.2f} s)",
      with_commas(s.transferred_files), human_bytes(s.transferred_bytes), with_commas(s.copied + s.renamed),
      with_commas(s.created), with_commas(s.deleted), with_commas(s.metadata), ended.tree_digest,
      ended.seconds));
}

/// rsync's labels and order, where they fit.
void Report::stats(const SyncStats& s, const source::Traffic& traffic, double seconds) {
  const PlanTotals& p = s.plan;
  line(fmt::format("Number of files: {} (reg: {}, dir: {}, link: {})", with_commas(p.source_entries),
                   with_commas(p.source_files), with_commas(p.source_directories),
                   with_commas(p.source_links)));
  line(fmt::format("Number of created files: {}", with_commas(s.created)));
  line(fmt::format("Number of deleted files: {}", with_commas(s.deleted)));
  line(fmt::format("Number of regular files transferred: {}", with_commas(s.transferred_files)));
  line(fmt::format("Number of files renamed: {}", with_commas(s.renamed)));
  line(fmt::format("Number of files copied on the mirror: {}", with_commas(s.copied)));
  line(fmt::format("Total file size: {} bytes", with_commas(p.source_bytes)));
  line(fmt::format("Total transferred file size: {} bytes", with_commas(s.transferred_bytes)));
  line(fmt::format("Reused from mirror: {} bytes", with_commas(s.reused_bytes)));
  line(fmt::format("Total bytes sent: {}", with_commas(traffic.sent)));
  line(fmt::format("Total bytes received: {}", with_commas(traffic.received)));
  const double moved = static_cast<double>(traffic.sent + traffic.received);
  line(fmt::format("sent {} bytes  received {} bytes  {:.2f} bytes/sec", with_commas(traffic.sent),
                   with_commas(traffic.received), moved / std::max(seconds, 1e-6)));
  line(fmt::format("total size is {}  speedup is {:.2f}{}", with_commas(p.source_bytes),
                   static_cast<double>(p.source_bytes) / std::max(moved, 1.0),
                   options_.dry_run ? " (DRY RUN)" : ""));
}

void Report::show_progress(const std::string& text, bool force) {
  if (!progress_) return;
  const auto now = Clock::now();
  if (!force && now - progress_shown_ < std::chrono::milliseconds(100)) return;
  progress_shown_ = now;
  const std::size_t width = text.size();
  std::fprintf(stderr, "\r%s%*s", text.c_str(),
               static_cast<int>(width < progress_width_ ? progress_width_ - width : 0), "");
  std::fflush(stderr);
  progress_width_ = width;
}

void Report::listing(std::uint64_t entries) {
  show_progress(fmt::format("  listing: {} entries", with_commas(entries)), false);
}

void Report::waiting(const wire::Wait& wait) {
  const std::string_view what = wait.reason == wire::Wait::Reason::scanning    ? "the mirror is being scanned"
                                : wait.reason == wire::Wait::Reason::comparing ? "content is being compared"
                                : wait.reason == wire::Wait::Reason::writing   ? "the mirror is being written"
                                                                               : "waiting";
  if (wait.reason == wire::Wait::Reason::writing) return;  // sending has its own line
  show_progress(fmt::format("  {}: {}", what, with_commas(wait.done)), false);
}

void Report::sending(std::uint64_t files, std::uint64_t bytes, const PlanTotals& totals) {
  if (!progress_) return;
  const auto now = Clock::now();
  if (sending_since_ == Clock::time_point{}) sending_since_ = now;
  if (totals.requests == 0) return;  // sent before the plan: the listing has the line
  const double seconds = std::max(std::chrono::duration<double>(now - sending_since_).count(), 1e-3);
  const double rate = static_cast<double>(bytes) / seconds;
  const std::uint64_t total = std::max(totals.request_bytes, bytes);
  const double left = rate > 0 ? static_cast<double>(total - bytes) / rate : 1e9;
  show_progress(
      fmt::format("  {:>15} {:>3}% {:>11}/s {:>10} ({}/{} files)", with_commas(bytes),
                  total == 0 ? 100 : bytes * 100 / total, human_bytes(static_cast<std::uint64_t>(rate)),
                  eta(left), with_commas(files), with_commas(totals.requests)),
      files >= totals.requests);
}

void Report::progress_ended() {
  sending_since_ = {};
  if (progress_width_ == 0) return;
  std::fputs("\n", stderr);
  std::fflush(stderr);
  progress_width_ = 0;
}

}  // namespace ssync::client_program
