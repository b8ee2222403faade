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
#include "ssync/source/observer.h"
#include "ssync/wire/messages.h"

#include "options.h"

namespace ssync::client_program {

/// "extended attributes of 3 entries (1 ACL, 1 capability), 2 hard links as separate files"; empty: nothing.
[[nodiscard]] std::string text_of(const source::NotMirrored& left_out);

/// One thread.
class Report final : public source::Observer {
 public:
  /// Errors: the log file cannot be opened.
  [[nodiscard]] static Result<Report> open(const Options& options);

  /// Log files are opened anew by their names (HUP). What cannot be opened is said; the old file stays in
  /// use.
  void reopen();
  /// Whether the server is to tell every change.
  [[nodiscard]] bool wants_changes() const;

  void notice(std::string_view text) override;
  void error(std::string_view text) override;  ///< stderr, and an event
  void connected(std::string_view server, bool synced_before) override;
  void problem(const Problem& problem) override;
  void plan(const wire::Plan& plan) override;
  void guard_holds(const wire::Plan& plan, bool stops) override;
  void changes(const std::vector<wire::ChangeRow>& rows) override;
  void sync_done(const source::Ended& ended) override;

  // On stderr, at most ten times a second.
  void listing(std::uint64_t entries) override;
  void waiting(const wire::Wait& wait) override;
  void sending(std::uint64_t files, std::uint64_t bytes, const PlanTotals& totals) override;
  void progress_ended() override;

 private:
  Report(const Options& options, std::shared_ptr<spdlog::logger> log, std::shared_ptr<spdlog::logger> errors);
  void line(std::string_view text);                                 ///< unless -q; not with --json
  void event(std::string_view name, const nlohmann::json& fields);  ///< only with --json
  /// A line when it is not what was told last.
  void not_mirrored(const source::NotMirrored& left_out);
  void differences(const std::vector<wire::ChangeRow>& rows);
  void stats(const SyncStats& stats, const source::Traffic& traffic, double seconds);
  void show_progress(const std::string& text, bool force);

  const Options& options_;
  std::shared_ptr<spdlog::logger> log_;
  std::shared_ptr<spdlog::logger> errors_;
  static constexpr std::uint64_t kDifferencesNamed = 10;
  std::uint64_t differences_ = 0;  ///< found by --verify
  source::NotMirrored not_mirrored_;
  bool progress_ = false;
  std::size_t progress_width_ = 0;
  std::chrono::steady_clock::time_point progress_shown_{};
  std::chrono::steady_clock::time_point sending_since_{};
};

/// A change as rsync's -i shows it: 11 columns and the path.
[[nodiscard]] std::string itemize(const wire::ChangeRow& row);

}  // namespace ssync::client_program
