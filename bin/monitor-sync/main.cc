// monitor-sync: shows the traffic of a running server-sync.

#include <stdio.h>

#include <exception>
#include <variant>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/signals.h"
#include "ssync/net/transport.h"

#include "options.h"
#include "own_keys.h"
#include "watch.h"

namespace ssync {
namespace {

ExitCode exit_code_of(const Error& error) noexcept {
  if (error.code == Errc::invalid_argument || error.code == Errc::too_long) return ExitCode::usage;
  return ExitCode::socket;
}

Result<ExitCode> run(const MonitorOptions& options) {
  SSYNC_TRY(Signals signals, Signals::block());
  net::Context context(1);
  return Watch(context, options, signals).run();
}

int main_of(int argc, char** argv) {
  open_standard_descriptors();
  const auto parsed = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const MonitorOptions& options = std::get<MonitorOptions>(parsed);
  if (options.keys.show)
    return programs::show_key("monitor-sync", programs::own_key(options.keys, "client.key"));
  const auto result = run(options);
  if (result) return to_int(*result);
  fmt::print(stderr, "monitor-sync: {}\n", result.error().text());
  return to_int(exit_code_of(result.error()));
}

}  // namespace
}  // namespace ssync

int main(int argc, char** argv) {
  try {
    return ssync::main_of(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "monitor-sync: {}\n", error.what());
    return ssync::to_int(ssync::ExitCode::socket);
  }
}
