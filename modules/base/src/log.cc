#include "ssync/base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
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
#include "ssync/base/text.h"
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

/// A link could be anybody's, and lead to any file of this user's. O_NONBLOCK: a fifo that nobody reads is an
/// error, not a wait.
Result<UniqueFd> open_file(const std::string& path, mode_t mode) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
  UniqueFd fd(::open(path.c_str(), kFlags, mode));
  const std::string what = "opening the log " + escape(path);
  if (!fd && errno == ELOOP)
    return fail(Errc::refused, what + ": it is a symbolic link, which is not followed; name the file itself");
  if (!fd) return fail(errno_error(what, errno));
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags >= 0) ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK);
  return fd;
}

Result<spdlog::sink_ptr> open_log(const std::string& path) {
  // A program may set its umask to 0 after this; a log that is opened anew is made as the first one was.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  FdSink::Open open = [path, mode = 0666 & ~mask] { return open_file(path, mode); };
  SSYNC_TRY(UniqueFd fd, open());
  return std::make_shared<FdSink>(std::move(fd), std::move(open));
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

Result<void> reopen_log_file(spdlog::logger& logger) {
  for (const spdlog::sink_ptr& sink : logger.sinks()) {
    if (auto* const file = dynamic_cast<FdSink*>(sink.get())) SSYNC_TRY_VOID(file->reopen());
  }
  return {};
}

}  // namespace ssync
