#include "watch.h"

#include <stdio.h>

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/monitor/endpoint.h"
#include "ssync/wire/tap.h"

#include "known_servers.h"
#include "own_keys.h"

namespace ssync {
namespace {

using std::chrono::milliseconds;

/// A server says something every second.
constexpr milliseconds kSilence{2500};
constexpr milliseconds kTick{500};

bool is_tcp(std::string_view endpoint) noexcept {
  return endpoint.starts_with("tcp://");
}

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
  net::Subscriber::Options options = subscription();
  // libzmq tries again by itself, but not another address, and not with what another server left.
  if (options.endpoint == endpoint_ && !is_tcp(endpoint_)) return {};
  SSYNC_TRY(subscriber_, net::Subscriber::connect(context_, options));
  ++attempts_;
  endpoint_ = std::move(options.endpoint);
  heard_ = std::chrono::steady_clock::now();
  return {};
}

net::Subscriber::Options Watch::subscription() const {
  net::Subscriber::Options out;
  out.endpoint =
      options_.endpoint.empty() ? monitor::find_endpoint(options_.control_port) : options_.endpoint;
  out.attempt = attempts_;
  out.own_key = programs::own_key(options_.keys, "client.key");
  out.server_key = [this](const std::string& host) -> Result<std::optional<net::PublicKey>> {
    if (options_.server_key) return options_.server_key;
    SSYNC_TRY(const auto known, programs::look_up_server(options_.keys, host, options_.control_port));
    return known ? std::optional(known->key) : std::nullopt;
  };
  return out;
}

Result<Watch::Ending> Watch::step() {
  SSYNC_TRY(const auto record, subscriber_->receive(kTick, fds_));
  if (record) return show(*record);
  if (signals_.take().end) return ExitCode::interrupted;
  if (output_.reader_gone()) return ExitCode::ok;
  on_silence();
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
void Watch::on_silence() {
  if (std::chrono::steady_clock::now() - heard_ < kSilence) return;
  const Result<void> connected = connect();
  if (std::exchange(told_waiting_, true)) return;
  complain(fmt::format("waiting for a server on {}{}", escape(endpoint_),
                       connected ? "" : ": " + connected.error().text()));
}

}  // namespace ssync
