#include "report.h"

#include <fmt/format.h>

#include "ssync/base/log.h"
#include "ssync/base/text.h"

#include "json_report.h"

namespace ssync::server_program {

using nlohmann::json;

namespace {
constexpr std::size_t kWaitingBytesMax = 16 * 1024;
}  // namespace

Result<Report> Report::open(const std::optional<std::string>& log_file, bool json_lines) {
  const LogOptions options{json_lines ? LogFormat::json : LogFormat::plain, log_file, 0};
  SSYNC_TRY(auto log, make_logger(options));
  SSYNC_TRY(auto errors, make_error_logger("server-sync", options));
  return Report(std::move(log), std::move(errors), json_lines);
}

Report::Report(std::shared_ptr<spdlog::logger> log, std::shared_ptr<spdlog::logger> errors, bool json_lines)
    : log_(std::move(log)), errors_(std::move(errors)), json_(json_lines) {}

void Report::reopen() {
  pause();
  for (spdlog::logger* const logger : {log_.get(), errors_.get()}) {
    if (const Result<void> opened = reopen_log_file(*logger); !opened) warning(opened.error().text());
  }
}

void Report::event(std::string_view name, json fields) {
  pause();
  log_->info("{}", programs::event_line(name, fields));
}
void Report::line(std::string_view text) {
  log_->info("{}", escape_text(text));
}

void Report::add(std::string line) {
  std::string full;
  {
    const MutexLock lock(waiting_->mutex);
    std::string& lines = waiting_->lines;
    if (!lines.empty()) lines.push_back('\n');
    lines.append(line);
    if (lines.size() < kWaitingBytesMax) return;
    full = std::exchange(lines, {});
  }
  log_->info("{}", full);
}

mirror::Observer& Report::of_mirror(std::string_view /*name*/) {
  return *this;
}

void Report::pause() {
  std::string lines;
  {
    const MutexLock lock(waiting_->mutex);
    lines = std::exchange(waiting_->lines, {});
  }
  if (!lines.empty()) log_->info("{}", lines);
}

void Report::listening(std::uint16_t control_port, std::uint16_t data_port, std::string_view address,
                       std::string_view directory) {
  if (json_) {
    return event("listening", {{"control_port", control_port},
                               {"data_port", data_port},
                               {"address", address},
                               {"directory", escape(directory)}});
  }
  line(fmt::format("Listening on {} port {} (file data: {}), mirror {}", address, control_port, data_port,
                   escape(directory)));
}

void Report::notice(std::string_view text) {
  if (json_) return event("notice", {{"text", text}});
  line(text);
}

void Report::warning(std::string_view text) {
  errors_->warn("{}", escape_text(text));
  if (json_) event("warning", {{"text", text}});
}

void Report::sync_started(std::string_view peer, std::string_view source_id) {
  if (json_) return event("sync_started", {{"peer", peer}, {"source_id", escape(source_id)}});
  line(fmt::format("Client connected: {} ({})", peer, escape(source_id)));
}

void Report::change(const Change& change) {
  if (json_) {
    programs::EventLine line("change");
    if (!change.from_name.empty()) line.add("from", printable(change.from()));
    line.add("op", op_name(change.op));
    line.add("path", printable(change.path()));
    add(std::move(line).finish());
    // What takes no time comes in thousands; after anything else the next change may take long.
    if (change.op != Op::set_metadata) pause();
    return;
  }
  if (change.op == Op::set_metadata) return;
  const std::string path = printable(change.path());
  switch (change.op) {
    case Op::copy:
    case Op::rename:
    case Op::rename_directory:
    case Op::stage_rename:
    case Op::stage_copy:
      return line(fmt::format("Copying file: {} and renaming to {}", printable(change.from()), path));
    case Op::exchange:
      return line(fmt::format("Exchanging files: {} and {}", printable(change.from()), path));
    case Op::remove:
      return line(fmt::format("Deleting file: {}", path));
    case Op::remove_directory:
      return line(fmt::format("Deleting directory: {}", path));
    default:
      return;  // the counts of a sync's last line are enough
  }
}

void Report::requesting(std::uint64_t files, std::uint64_t bytes) {
  if (json_) return event("requesting", {{"files", files}, {"bytes", bytes}});
  line(
      fmt::format("Requesting {} file{}, {}", with_commas(files), files == 1 ? "" : "s", human_bytes(bytes)));
}

void Report::received(const Change& change) {
  if (!json_) return;
  programs::EventLine line("received");
  line.add("bytes", change.wanted.size);
  line.add("path", printable(change.path()));
  add(std::move(line).finish());
}

void Report::problem(const Problem& problem) {
  if (json_) event("problem", programs::to_json(problem));
  errors_->warn("{}: {}", printable(problem.path()), escape_text(problem.text));
}

void Report::sync_done(const SyncStats& stats, std::string_view tree_digest, double seconds) {
  if (json_) {
    json fields = programs::to_json(stats);
    fields["tree_digest"] = tree_digest;
    fields["seconds"] = seconds;
    return event("sync_done", fields);
  }
  if (stats.plan.specials > 0)
    line(fmt::format("Not mirrored: {} sockets, fifos or devices", with_commas(stats.plan.specials)));
  line(
      fmt::format("Sync done: {} received ({}), {} copied, {} renamed, {} created, {} deleted, {} problems; "
                  "tree {} ({:.2f} s)",
                  with_commas(stats.transferred_files), human_bytes(stats.transferred_bytes),
                  with_commas(stats.copied), with_commas(stats.renamed), with_commas(stats.created),
                  with_commas(stats.deleted), with_commas(stats.problems), tree_digest, seconds));
}

void Report::sync_aborted(std::string_view reason) {
  if (json_) return event("sync_aborted", {{"reason", reason}});
  line(fmt::format("Sync ended early: {}", reason));
}

}  // namespace ssync::server_program
