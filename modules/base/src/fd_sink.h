#pragma once

#include <functional>
#include <mutex>

#include <spdlog/sinks/base_sink.h>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync {

/// Writes each line with one write(2): nothing is buffered, and O_APPEND keeps lines of several processes
/// whole. spdlog's own file sinks open without O_CLOEXEC, and its stdout sink ignores failed writes. Thread
/// safety: any thread (base_sink locks).
class FdSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Borrows `fd` (standard output or error); it must stay open.
  explicit FdSink(int fd) : fd_(fd) {}
  /// Opens now what `open` opens.
  using Open = std::function<Result<UniqueFd>()>;
  FdSink(UniqueFd opened, Open open) : owned_(std::move(opened)), fd_(owned_.get()), open_(std::move(open)) {}

  /// Goes on in what the name leads to now: a log that was rotated. Standard output and error stay. On an
  /// Error the old file stays open.
  [[nodiscard]] Result<void> reopen();

 protected:
  /// Throws spdlog::spdlog_ex, which the logger turns into a note on stderr.
  void sink_it_(const spdlog::details::log_msg& msg) override;
  void flush_() override {}

 private:
  UniqueFd owned_;
  int fd_;
  const Open open_;  ///< none: borrowed
};

}  // namespace ssync
