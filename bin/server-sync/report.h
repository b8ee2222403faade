// What the server says of its work: lines as the seed has them, or JSON objects.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>

#include "ssync/base/mutex.h"
#include "ssync/base/result.h"
#include "ssync/mirror/observer.h"
#include "ssync/model/change.h"
#include "ssync/model/entry.h"
#include "ssync/serve/observer.h"

namespace ssync::server_program {

/// Thread safety: any thread.
class Report final : public serve::Observer, public mirror::Observer {
 public:
  /// Errors: the log file cannot be opened.
  [[nodiscard]] static Result<Report> open(const std::optional<std::string>& log_file, bool json);

  /// Log files are opened anew by their names (HUP). What cannot be opened is said; the old file stays in
  /// use.
  void reopen();
  void listening(std::uint16_t control_port, std::uint16_t data_port, std::string_view address,
                 std::string_view directory);
  void notice(std::string_view text) override;
  void warning(std::string_view text) override;  ///< also on stderr
  void sync_started(std::string_view peer, std::string_view source_id) override;
  /// A line of JSON about metadata, or about a received file, may wait for pause() or any other event.
  void change(const Change& change) override;
  void requesting(std::uint64_t files, std::uint64_t bytes) override;
  void received(const Change& change) override;
  void problem(const Problem& problem) override;
  void sync_done(const SyncStats& stats, std::string_view tree_digest, double seconds) override;
  void sync_aborted(std::string_view reason) override;
  /// Writes the lines that wait.
  void pause() override;
  [[nodiscard]] mirror::Observer& of_mirror(std::string_view name) override;

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
