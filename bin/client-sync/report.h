// What the client says: log lines or JSON on stdout, errors and progress on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>

#include "ssync/base/result.h"
#include "ssync/model/change.h"
#include "ssync/wire/messages.h"

#include "options.h"

namespace ssync::client_program {

/// Bytes and messages of one sync, both sockets.
struct Traffic {
  std::uint64_t sent = 0, received = 0;
};

/// Entries, or what they have, that the source has and no mirror gets.
struct NotMirrored {
  std::uint64_t attributes = 0;  ///< entries with extended attributes, the next two counted
  std::uint64_t acls = 0, capabilities = 0;
  std::uint64_t hard_links = 0;  ///< files with more than one link
  std::uint64_t specials = 0;
  std::uint64_t reserved = 0;  ///< under names that are kept for the programs themselves
  friend bool operator==(const NotMirrored&, const NotMirrored&) = default;
};
/// "extended attributes of 3 entries (1 ACL, 1 capability), 2 hard links as separate files"; empty: nothing.
[[nodiscard]] std::string text_of(const NotMirrored& left_out);

/// One thread.
class Report {
 public:
  /// Errors: the log file cannot be opened.
  [[nodiscard]] static Result<Report> open(const Options& options);

  /// Log files are opened anew by their names (HUP). What cannot be opened is said; the old file stays in
  /// use.
  void reopen();
  void line(std::string_view text);                                 ///< unless -q; not with --json
  void event(std::string_view name, const nlohmann::json& fields);  ///< only with --json
  void notice(std::string_view text);                               ///< line or event
  void error(std::string_view text);                                ///< stderr, and an event
  void problem(const Problem& problem);
  void plan(const wire::Plan& plan);
  void changes(const std::vector<wire::ChangeRow>& rows);
  /// What the source has and the mirror does not get, by design. A line when it is not what was told last; in
  /// what sync_done() says each time.
  void not_mirrored(const NotMirrored& left_out);
  void sync_done(const wire::SyncDone& done, std::string_view tree_digest, bool equal, const Traffic& traffic,
                 double seconds);
  /// Whether the server is to tell every change.
  [[nodiscard]] bool wants_changes() const;

  // Progress, on stderr, at most ten times a second.
  void progress_listing(std::uint64_t entries);
  void progress_waiting(const wire::Wait& wait);
  void progress_sending(std::uint64_t files, std::uint64_t bytes, const PlanTotals& totals);
  void progress_end();

 private:
  Report(const Options& options, std::shared_ptr<spdlog::logger> log, std::shared_ptr<spdlog::logger> errors);
  void differences(const std::vector<wire::ChangeRow>& rows);
  void stats(const SyncStats& stats, const Traffic& traffic, double seconds);
  void show_progress(const std::string& text, bool force);

  const Options& options_;
  std::shared_ptr<spdlog::logger> log_;
  std::shared_ptr<spdlog::logger> errors_;
  static constexpr std::uint64_t kDifferencesNamed = 10;
  std::uint64_t differences_ = 0;  ///< found by --verify
  NotMirrored not_mirrored_;
  bool progress_ = false;
  std::size_t progress_width_ = 0;
  std::chrono::steady_clock::time_point progress_shown_{};
  std::chrono::steady_clock::time_point sending_since_{};
};

/// A change as rsync's -i shows it: 11 columns and the path.
[[nodiscard]] std::string itemize(const wire::ChangeRow& row);

}  // namespace ssync::client_program
