#include "watch.h"

#include <stdio.h>

#include <utility>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/monitor/endpoint.h"
#include "ssync/wire/tap.h"

namespace ssync {
namespace {

using std::chrono::milliseconds;

/// A server says something every second.
constexpr milliseconds kSilence{2500};
constexpr milliseconds kTick{500};

void complain(const std::string& message) {
  fmt::print(stderr, "monitor-sync: {}\n", message);
}

}  // namespace

Watch::Watch(net::Context& context, const MonitorOptions& options, Signals& signals)
    : context_(context),
      options_(options),
      signals_(signals),
      output_(signals),
      fds_{signals.fd()},
      renderer_({.json = options.json,
                 .verbosity = options.verbosity,
                 .mirror = options.mirror,
                 .session = options.session}) {
  if (const auto pipe = output_.pipe()) fds_.push_back(*pipe);
}

Result<ExitCode> Watch::run() {
  SSYNC_TRY_VOID(connect());
  Ending ending = Output::is_terminal() ? print(renderer_.heading()) : std::nullopt;
  while (!ending) {
    SSYNC_TRY(ending, step());
  }
  return *ending;
}

Result<void> Watch::connect() {
  std::string endpoint =
      options_.endpoint.empty() ? monitor::find_endpoint(options_.control_port) : options_.endpoint;
  if (endpoint == endpoint_) return {};
  SSYNC_TRY(subscriber_, net::Subscriber::connect(context_, endpoint));
  endpoint_ = std::move(endpoint);
  heard_ = std::chrono::steady_clock::now();
  return {};
}

Result<Watch::Ending> Watch::step() {
  SSYNC_TRY(const auto record, subscriber_->receive(kTick, fds_));
  if (record) return show(*record);
  if (signals_.take().end) return ExitCode::interrupted;
  if (output_.reader_gone()) return ExitCode::ok;
  SSYNC_TRY_VOID(on_silence());
  return std::nullopt;
}

Watch::Ending Watch::show(const Buffer& bytes) {
  heard_ = std::chrono::steady_clock::now();
  told_waiting_ = false;
  const auto record = wire::decode_tap(bytes.bytes());
  if (!record) {
    if (!std::exchange(told_bad_, true)) {
      complain(fmt::format("what {} tells is not understood: {}", escape(endpoint_), record.error().text()));
    }
    return std::nullopt;
  }
  const Ending ending = print(renderer_.render(*record));
  const bool is_shown = record->kind != wire::TapKind::state && renderer_.selects(*record);
  if (!ending && is_shown && ++shown_ == options_.count) return ExitCode::ok;
  return ending;
}

Watch::Ending Watch::print(const std::string& lines) const {
  const auto written = output_.write(lines);
  if (!written) {
    complain(written.error().text());
    return ExitCode::file;
  }
  if (*written == Output::Written::interrupted) return ExitCode::interrupted;
  if (*written == Output::Written::reader_gone) return ExitCode::ok;
  return std::nullopt;
}

/// Without an endpoint on the command line the server may turn up in another place than where it was looked
/// for.
Result<void> Watch::on_silence() {
  if (std::chrono::steady_clock::now() - heard_ < kSilence) return {};
  SSYNC_TRY_VOID(connect());
  if (!std::exchange(told_waiting_, true)) complain("waiting for a server on " + escape(endpoint_));
  return {};
}

}  // namespace ssync
