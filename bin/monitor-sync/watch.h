#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/exit_code.h"
#include "ssync/base/result.h"
#include "ssync/base/signals.h"
#include "ssync/monitor/renderer.h"
#include "ssync/net/transport.h"

#include "options.h"
#include "output.h"

namespace ssync {

/// The loop of monitor-sync: records in, lines out, until the count is reached, the reader goes or a signal
/// comes.
class Watch {
 public:
  /// `context` and `signals` must outlive this object. There is no log to reopen, so a HUP that does not end
  /// it is ignored.
  Watch(net::Context& context, const MonitorOptions& options, Signals& signals);
  /// The exit code. Errors: the endpoint cannot be used.
  [[nodiscard]] Result<ExitCode> run();

 private:
  /// The exit code, once it is time to end.
  using Ending = std::optional<ExitCode>;
  [[nodiscard]] Result<Ending> step();
  [[nodiscard]] Ending show(const Buffer& bytes);
  [[nodiscard]] Ending print(const std::string& lines) const;
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] net::Subscriber::Options subscription() const;
  void on_silence();

  net::Context& context_;
  const MonitorOptions options_;
  Signals& signals_;
  const Output output_;
  std::vector<int> fds_;  ///< the signals', then output's if it is a pipe
  monitor::Renderer renderer_;
  std::string endpoint_;
  std::size_t attempts_ = 0;
  std::unique_ptr<net::Subscriber> subscriber_;
  std::chrono::steady_clock::time_point heard_{};
  bool told_waiting_ = false;
  bool told_bad_ = false;
  std::uint64_t shown_ = 0;
};

}  // namespace ssync
