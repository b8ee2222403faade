// What the server says of its work: lines as the seed has them, or JSON objects. What happens to a mirror
// with a name says the name: "[photos] Deleting file: a", or "mirror":"photos".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
class Report final : public serve::Observer {
 public:
  /// Errors: the log file cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<Report>> open(const std::optional<std::string>& log_file,
                                                            bool json);
  ~Report() override;

  /// Log files are opened anew by their names (HUP). What cannot be opened is said; the old file stays in
  /// use.
  void reopen();
  struct Mirror {
    std::string name, directory;
  };
  void listening(std::uint16_t control_port, std::uint16_t data_port, std::string_view address,
                 const std::vector<Mirror>& mirrors);
  void notice(std::string_view text) override;
  void warning(std::string_view text) override;  ///< also on stderr
  [[nodiscard]] mirror::Observer& of_mirror(std::string_view name) override;

 private:
  class OfMirror;
  Report(std::shared_ptr<spdlog::logger> log, std::shared_ptr<spdlog::logger> errors, bool json);
  void event(std::string_view name, const nlohmann::json& fields);
  void line(std::string_view text);
  /// A line that may wait for flush() or any other event.
  void add(std::string_view line);
  void flush();

  const std::shared_ptr<spdlog::logger> log_;
  const std::shared_ptr<spdlog::logger> errors_;
  const bool json_;
  Mutex mutex_;
  std::string waiting_ SSYNC_GUARDED_BY(mutex_);  ///< lines
  std::map<std::string, std::unique_ptr<OfMirror>, std::less<>> of_mirrors_ SSYNC_GUARDED_BY(mutex_);
};

}  // namespace ssync::server_program
