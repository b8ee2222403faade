#pragma once

// Set-up of spdlog for the programs. There is no default logger: main makes these and passes them on.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "ssync/base/result.h"

namespace ssync {

enum class LogFormat : std::uint8_t {
  plain,  ///< text for people
  json,   ///< every message is one whole JSON object, made by the caller
};

struct LogOptions {
  LogFormat format = LogFormat::plain;
  /// Append to this file instead of standard output; made with mode 0666 less umask. A symbolic link is not
  /// followed (Errc::refused).
  std::optional<std::string> file;
  /// < 0 warnings and errors only, 0 info, 1 debug, >= 2 trace.
  int verbosity = 0;
};

/// Logger of a program's regular output. Each message is one write(2), so a line is there when the call
/// returns, and lines of several processes in one file do not mix. Lines are the bare message; a plain file
/// has time and level in front. Thread safety of the logger: any thread. It does not throw: a line that
/// cannot be written is dropped, and that is said on stderr once a second at most. Errors: as open(2) of the
/// file.
[[nodiscard]] Result<std::shared_ptr<spdlog::logger>> make_logger(const LogOptions& options);

/// Logger of what went wrong: "program: message" on stderr at every verbosity (verbosity > 0 adds info and
/// more). With a plain log file the lines go there too. Errors: as open(2) of the file.
[[nodiscard]] Result<std::shared_ptr<spdlog::logger>> make_error_logger(std::string_view program,
                                                                        const LogOptions& options);

/// Opens the log file of `logger` once more by its name and writes there from now on: what HUP asks for after
/// a rotation. If no file has that name any more, it is made, with the mode of the first one. Without a log
/// file there is nothing to do. On an Error the old file stays in use. Thread safety: any thread.
[[nodiscard]] Result<void> reopen_log_file(spdlog::logger& logger);

}  // namespace ssync
