// monitor-sync: shows the traffic of a running server-sync.

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <exception>
#include <variant>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/base/signals.h"
#include "ssync/base/unique_fd.h"
#include "ssync/net/transport.h"

#include "options.h"
#include "watch.h"

namespace ssync {
namespace {

constexpr int kUsageError = 1;
constexpr int kSocketError = 10;

/// What ends it, as a descriptor. Before any thread exists, so that all of them have the signals blocked.
/// HUP is among them as long as there is a terminal to lose; without one nothing is to be done about it.
Result<UniqueFd> take_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  if (ends_with_its_terminal()) {
    ::sigaddset(&set, SIGHUP);
  } else {
    ::signal(SIGHUP, SIG_IGN);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail(errno_error("signalfd", errno));
  return fd;
}

int exit_code_of(const Error& error) noexcept {
  if (error.code == Errc::invalid_argument || error.code == Errc::too_long) return kUsageError;
  return kSocketError;
}

Result<int> run(const MonitorOptions& options) {
  SSYNC_TRY(const UniqueFd signals, take_signals());
  net::Context context(1);
  return Watch(context, options, signals.get()).run();
}

int main_of(int argc, char** argv) {
  open_standard_descriptors();
  const auto parsed = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const auto result = run(std::get<MonitorOptions>(parsed));
  if (result) return *result;
  fmt::print(stderr, "monitor-sync: {}\n", result.error().text());
  return exit_code_of(result.error());
}

}  // namespace
}  // namespace ssync

int main(int argc, char** argv) {
  try {
    return ssync::main_of(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "monitor-sync: {}\n", error.what());
    return ssync::kSocketError;
  }
}
