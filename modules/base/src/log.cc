#include "ssync/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/pattern_formatter.h>

#include "ssync/base/mutex.h"
#include "ssync/base/unique_fd.h"

#include "fd_sink.h"

namespace ssync {
namespace {

constexpr const char* kBare = "%v";
constexpr const char* kDated = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";

spdlog::level::level_enum level_of(int verbosity) {
  if (verbosity < 0) return spdlog::level::warn;
  if (verbosity == 0) return spdlog::level::info;
  return verbosity == 1 ? spdlog::level::debug : spdlog::level::trace;
}

Result<spdlog::sink_ptr> open_log(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666));
  if (!fd) return fail(errno_error("open log " + path, errno));
  return std::make_shared<FdSink>(std::move(fd));
}

/// Says on stderr that lines are lost, once a second at most: a full disk must not flood the terminal too.
void report_lost_lines(spdlog::logger& logger) {
  using std::chrono::steady_clock;
  struct Said {
    Mutex mutex;
    std::optional<steady_clock::time_point> last SSYNC_GUARDED_BY(mutex);
  };
  logger.set_error_handler([said = std::make_shared<Said>()](const std::string& reason) {
    const steady_clock::time_point now = steady_clock::now();
    MutexLock lock(said->mutex);
    if (said->last && now - *said->last < std::chrono::seconds(1)) return;
    said->last = now;
    std::fprintf(stderr, "log line lost: %s\n", reason.c_str());
  });
}

std::string without_format_flags(std::string_view text) {
  std::string out;
  for (const char c : text)
    out.append(c == '%' ? 2 : 1, c);
  return out;
}

}  // namespace

Result<std::shared_ptr<spdlog::logger>> make_logger(const LogOptions& options) {
  spdlog::sink_ptr sink;
  const bool dated = options.file && options.format == LogFormat::plain;
  if (options.file) {
    SSYNC_TRY(sink, open_log(*options.file));
  } else {
    sink = std::make_shared<FdSink>(STDOUT_FILENO);
  }
  sink->set_pattern(dated ? kDated : kBare);
  auto logger = std::make_shared<spdlog::logger>("log", std::move(sink));
  logger->set_level(level_of(options.verbosity));
  report_lost_lines(*logger);
  return logger;
}

Result<std::shared_ptr<spdlog::logger>> make_error_logger(std::string_view program,
                                                          const LogOptions& options) {
  std::vector<spdlog::sink_ptr> sinks;
  sinks.push_back(std::make_shared<FdSink>(STDERR_FILENO));
  sinks.back()->set_pattern(without_format_flags(program) + ": %v");
  if (options.file && options.format == LogFormat::plain) {
    SSYNC_TRY(spdlog::sink_ptr file, open_log(*options.file));
    file->set_pattern(kDated);
    sinks.push_back(std::move(file));
  }
  auto logger = std::make_shared<spdlog::logger>(std::string(program), sinks.begin(), sinks.end());
  logger->set_level(options.verbosity > 0 ? level_of(options.verbosity) : spdlog::level::warn);
  report_lost_lines(*logger);
  return logger;
}

}  // namespace ssync
