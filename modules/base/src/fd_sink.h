#pragma once

#include <mutex>

#include <spdlog/sinks/base_sink.h>

#include "ssync/base/unique_fd.h"

namespace ssync {

/// Writes each line with one write(2): nothing is buffered, and O_APPEND keeps lines of several processes
/// whole. spdlog's own file sinks open without O_CLOEXEC, and its stdout sink ignores failed writes. Thread
/// safety: any thread (base_sink locks).
class FdSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Borrows `fd` (standard output or error); it must stay open.
  explicit FdSink(int fd) : fd_(fd) {}
  explicit FdSink(UniqueFd owned) : owned_(std::move(owned)), fd_(owned_.get()) {}

 protected:
  /// Throws spdlog::spdlog_ex, which the logger turns into a note on stderr.
  void sink_it_(const spdlog::details::log_msg& msg) override;
  void flush_() override {}

 private:
  UniqueFd owned_;
  int fd_;
};

}  // namespace ssync
