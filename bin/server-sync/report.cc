#include "report.h"

#include <utility>

#include <fmt/format.h>

#include "ssync/base/log.h"
#include "ssync/base/text.h"

#include "json_report.h"

namespace ssync::server_program {

using nlohmann::json;

namespace {
constexpr std::size_t kWaitingBytesMax = 16 * 1024;
}  // namespace

/// What happens to one mirror.
class Report::OfMirror final : public mirror::Observer {
 public:
  OfMirror(Report& report, std::string name)
      : report_(report),
        name_(std::move(name)),
        prefix_(name_.empty() ? std::string() : fmt::format("[{}] ", escape(name_))) {}

  void notice(std::string_view text) override;
  void warning(std::string_view text) override;
  void sync_started(std::string_view peer, std::string_view source_id) override;
  /// A line of JSON about metadata, or about a received file, may wait for pause() or any other event.
  void change(const Change& change) override;
  void requesting(std::uint64_t files, std::uint64_t bytes) override;
  void received(const Change& change) override;
  void problem(const Problem& problem) override;
  void pause() override { report_.flush(); }
  void sync_done(const SyncStats& stats, std::string_view tree_digest, double seconds) override;
  void sync_aborted(std::string_view reason) override;

 private:
  void line(std::string_view text) { report_.line(prefix_ + std::string(text)); }
  void event(std::string_view name, json fields) {
    if (!name_.empty()) fields["mirror"] = name_;
    report_.event(name, fields);
  }
  [[nodiscard]] bool json_lines() const { return report_.json_; }

  Report& report_;
  const std::string name_;
  const std::string prefix_;
};

Result<std::unique_ptr<Report>> Report::open(const std::optional<std::string>& log_file, bool json_lines) {
  const LogOptions options{json_lines ? LogFormat::json : LogFormat::plain, log_file, 0};
  SSYNC_TRY(auto log, make_logger(options));
  SSYNC_TRY(auto errors, make_error_logger("server-sync", options));
  return std::unique_ptr<Report>(new Report(std::move(log), std::move(errors), json_lines));
}

Report::Report(std::shared_ptr<spdlog::logger> log, std::shared_ptr<spdlog::logger> errors, bool json_lines)
    : log_(std::move(log)), errors_(std::move(errors)), json_(json_lines) {}
Report::~Report() = default;

mirror::Observer& Report::of_mirror(std::string_view name) {
  const MutexLock lock(mutex_);
  std::unique_ptr<OfMirror>& found = of_mirrors_[std::string(name)];
  if (!found) found = std::make_unique<OfMirror>(*this, std::string(name));
  return *found;
}

void Report::reopen() {
  flush();
  for (spdlog::logger* const logger : {log_.get(), errors_.get()}) {
    if (const Result<void> opened = reopen_log_file(*logger); !opened) warning(opened.error().text());
  }
}

void Report::event(std::string_view name, const json& fields) {
  flush();
  log_->info("{}", programs::event_line(name, fields));
}

void Report::line(std::string_view text) {
  log_->info("{}", escape_text(text));
}

void Report::add(std::string_view line) {
  std::string full;
  {
    const MutexLock lock(mutex_);
    if (!waiting_.empty()) waiting_.push_back('\n');
    waiting_.append(line);
    if (waiting_.size() < kWaitingBytesMax) return;
    full = std::exchange(waiting_, {});
  }
  log_->info("{}", full);
}

void Report::flush() {
  std::string lines;
  {
    const MutexLock lock(mutex_);
    lines = std::exchange(waiting_, {});
  }
  if (!lines.empty()) log_->info("{}", lines);
}

void Report::listening(std::uint16_t control_port, std::uint16_t data_port, std::string_view address,
                       const std::vector<Mirror>& mirrors) {
  const bool is_plain = mirrors.size() == 1 && mirrors.front().name.empty();
  if (json_) {
    json fields = {{"control_port", control_port}, {"data_port", data_port}, {"address", address}};
    fields["mirrors"] = json::array();
    for (const Mirror& mirror : mirrors) {
      if (mirror.name.empty()) fields["directory"] = escape(mirror.directory);
      fields["mirrors"].push_back({{"name", mirror.name}, {"directory", escape(mirror.directory)}});
    }
    return event("listening", fields);
  }
  const std::string where =
      fmt::format("Listening on {} port {} (file data: {})", address, control_port, data_port);
  if (is_plain) return line(fmt::format("{}, mirror {}", where, escape(mirrors.front().directory)));
  line(fmt::format("{}, {} mirror{}", where, mirrors.size(), mirrors.size() == 1 ? "" : "s"));
  for (const Mirror& mirror : mirrors) {
    line(mirror.name.empty() ? fmt::format("Mirror {}", escape(mirror.directory))
                             : fmt::format("[{}] Mirror {}", escape(mirror.name), escape(mirror.directory)));
  }
}

void Report::notice(std::string_view text) {
  if (json_) return event("notice", {{"text", text}});
  line(text);
}

void Report::warning(std::string_view text) {
  errors_->warn("{}", escape_text(text));
  if (json_) event("warning", {{"text", text}});
}

void Report::OfMirror::notice(std::string_view text) {
  if (json_lines()) return event("notice", {{"text", text}});
  line(text);
}

void Report::OfMirror::warning(std::string_view text) {
  report_.errors_->warn("{}{}", prefix_, escape_text(text));
  if (json_lines()) event("warning", {{"text", text}});
}

void Report::OfMirror::sync_started(std::string_view peer, std::string_view source_id) {
  if (json_lines()) return event("sync_started", {{"peer", peer}, {"source_id", escape(source_id)}});
  line(fmt::format("Client connected: {} ({})", peer, escape(source_id)));
}

void Report::OfMirror::change(const Change& change) {
  if (json_lines()) {
    programs::EventLine line("change");
    if (const Change::From* const from = change.from()) line.add("from", printable(from->path()));
    if (!name_.empty()) line.add("mirror", escape(name_));
    line.add("op", op_name(change.op()));
    line.add("path", printable(change.path()));
    report_.add(std::move(line).finish());
    // What takes no time comes in thousands; after anything else the next change may take long.
    if (change.op() != Op::set_metadata) pause();
    return;
  }
  if (change.op() == Op::set_metadata) return;
  const std::string path = printable(change.path());
  switch (change.op()) {
    case Op::copy:
    case Op::rename:
    case Op::rename_directory:
    case Op::stage_rename:
    case Op::stage_copy:
      return line(fmt::format("Copying file: {} and renaming to {}", printable(change.from()->path()), path));
    case Op::exchange:
      return line(fmt::format("Exchanging files: {} and {}", printable(change.from()->path()), path));
    case Op::remove:
      return line(fmt::format("Deleting file: {}", path));
    case Op::remove_directory:
      return line(fmt::format("Deleting directory: {}", path));
    default:
      return;  // the counts of a sync's last line are enough
  }
}

void Report::OfMirror::requesting(std::uint64_t files, std::uint64_t bytes) {
  if (json_lines()) return event("requesting", {{"files", files}, {"bytes", bytes}});
  line(
      fmt::format("Requesting {} file{}, {}", with_commas(files), files == 1 ? "" : "s", human_bytes(bytes)));
}

void Report::OfMirror::received(const Change& change) {
  if (!json_lines()) return;
  programs::EventLine line("received");
  line.add("bytes", change.wanted.size);
  if (!name_.empty()) line.add("mirror", escape(name_));
  line.add("path", printable(change.path()));
  report_.add(std::move(line).finish());
}

void Report::OfMirror::problem(const Problem& problem) {
  if (json_lines()) event("problem", programs::to_json(problem));
  report_.errors_->warn("{}{}: {}", prefix_, printable(problem.path()), escape_text(problem.text));
}

void Report::OfMirror::sync_done(const SyncStats& stats, std::string_view tree_digest, double seconds) {
  if (json_lines()) {
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

void Report::OfMirror::sync_aborted(std::string_view reason) {
  if (json_lines()) return event("sync_aborted", {{"reason", reason}});
  line(fmt::format("Sync ended early: {}", reason));
}

}  // namespace ssync::server_program
