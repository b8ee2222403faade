// What the server says of its work: lines as the seed has them, or JSON objects.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>

#include "ssync/base/mutex.h"
#include "ssync/base/result.h"
#include "ssync/model/change.h"
#include "ssync/model/entry.h"

namespace ssync::server_program {

/// Thread safety: any thread.
class Report {
 public:
  /// Errors: the log file cannot be opened.
  [[nodiscard]] static Result<Report> open(const std::optional<std::string>& log_file, bool json);

  /// Log files are opened anew by their names (HUP). What cannot be opened is said; the old file stays in
  /// use.
  void reopen();
  void listening(std::uint16_t control_port, std::uint16_t data_port, std::string_view address,
                 std::string_view directory);
  void notice(std::string_view text);   ///< something to know
  void warning(std::string_view text);  ///< something went wrong; also on stderr
  void sync_started(std::string_view peer, std::string_view source_id);
  /// Carried out. A line of JSON about metadata, or about a received file, may wait for flush() or any other
  /// event.
  void change(const Change& change);
  void requesting(std::uint64_t files, std::uint64_t bytes);
  void received(const Change& change);
  void problem(const Problem& problem);
  void sync_done(const SyncStats& stats, std::string_view tree_digest, double seconds);
  void sync_aborted(std::string_view reason);
  /// Writes the lines that wait: before the caller waits for something.
  void flush();

 private:
  Report(std::shared_ptr<spdlog::logger> log, std::shared_ptr<spdlog::logger> errors, bool json);
  void event(std::string_view name, nlohmann::json fields);
  void line(std::string_view text);
  void add(std::string line);

  struct Waiting {
    Mutex mutex;
    std::string lines SSYNC_GUARDED_BY(mutex);
  };

  std::shared_ptr<spdlog::logger> log_;
  std::shared_ptr<spdlog::logger> errors_;
  bool json_;
  std::unique_ptr<Waiting> waiting_ = std::make_unique<Waiting>();
};

}  // namespace ssync::server_program
