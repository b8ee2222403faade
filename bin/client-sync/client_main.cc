#include "client_main.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/leave_anyway.h"
#include "ssync/base/memory.h"
#include "ssync/base/signals.h"
#include "ssync/base/text.h"
#include "ssync/fs/path.h"
#include "ssync/source/mirrors.h"
#include "ssync/source/source.h"

#include "join_server.h"
#include "json_report.h"
#include "known_servers.h"
#include "options.h"
#include "report.h"

namespace ssync::client_program {
namespace {

/// What a sync needs beside 0 to 2, when it keeps no directory open for later. Without those that it needs,
/// libzmq ends the process.
constexpr std::size_t kDescriptorsNeeded = 30;

int give_up(const Error& error, ExitCode code) {
  std::fprintf(stderr, "client-sync: %s\n", error.text().c_str());
  return to_int(code);
}

std::chrono::milliseconds to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

wire::SyncOptions sync_options(const Options& options) {
  wire::SyncOptions out;
  out.delete_extra = options.delete_extra;
  out.max_delete = options.max_delete;
  out.compare_content = options.checksum;
  out.verify = options.verify;
  out.dry_run = options.dry_run;
  out.durable = options.fsync;
  out.digest_kind = options.digest;
  return out;
}

net::OwnKey own_key_of(const Options& options) {
  return programs::own_key(options.keys, "client.key");
}

source::Options source_options(const Options& options, const source::Capacities& capacities) {
  source::Options out;
  out.program = "client-sync " SSYNC_VERSION;
  out.directory = options.directory;
  out.server = options.server;
  out.control_port = options.control_port;
  out.data_port = options.data_port.value_or(wire::kDataPort);
  out.server_key = options.server_key;
  out.own_key = own_key_of(options);
  out.insecure = options.insecure;
  out.mirror = options.mirror;
  out.once = options.once;
  out.interval = to_ms(options.interval_s);
  out.connect = to_ms(options.contimeout_s);
  out.sync = sync_options(options);
  out.eager_digest = options.eager_digest;
  out.accept_root = options.accept_root;
  out.source_id = options.source_id;
  out.state_dir = options.state_dir;
  out.log_file = options.log_file;
  out.on_stuck = [](ExitCode code) {
    leave_anyway(std::chrono::milliseconds(0), code, "client-sync: the source's file system does not answer");
  };
  out.capacities = capacities;
  return out;
}

/// What is known of the server, where nothing was said.
Result<void> look_up_server(Options& options) {
  if (options.server_key || options.insecure) return {};
  SSYNC_TRY(const auto known, programs::look_up_server(options.keys, options.server, options.control_port));
  if (!known) return {};
  options.server_key = known->key;
  if (!options.data_port) options.data_port = known->data_port;
  return {};
}

int run(const Options& options, const source::Capacities& capacities) {
  if (options.log_file) {
    if (const Result<void> trusted = fs::check_links(*options.log_file); !trusted)
      return give_up(context(trusted.error(), "--log-file"), ExitCode::file);
  }
  if (const Result<void> trusted = fs::check_links(options.state_dir); !trusted)
    return give_up(context(trusted.error(), "--state-dir"), ExitCode::file);
  Result<Report> report = Report::open(options);
  if (!report) return give_up(report.error(), ExitCode::file);
  // A source that is not there at the start is a typing error; later it is waited for.
  if (const Result<void> there = source::Source::look(options.directory); !there)
    return give_up(there.error(), source::Source::code_of(there.error()));
  Result<Signals> signals = Signals::block();
  if (!signals) return give_up(signals.error(), ExitCode::start);
  source::Options sourcing = source_options(options, capacities);
  sourcing.sync.list_changes = report->wants_changes();
  auto source = source::Source::create(std::move(sourcing), *report);
  if (!source) return give_up(source.error(), ExitCode::socket);
  const Result<ExitCode> ended = (*source)->run({signals->fd(), [&] {
                                                   const Signals::Taken taken = signals->take();
                                                   if (taken.reopen_logs) report->reopen();
                                                   if (taken.end) (*source)->stop();
                                                 }});
  if (!ended) return give_up(ended.error(), ExitCode::socket);
  return to_int(*ended);
}

/// What the server offers, on stdout.
int list(const Options& options) {
  const source::ListedMirrors listed = source::list_mirrors(source_options(options, {}));
  if (listed.code != ExitCode::ok) {
    std::fprintf(stderr, "client-sync: %s\n", escape_text(listed.text).c_str());
    return to_int(listed.code);
  }
  for (const wire::MirrorRow& mirror : listed.mirrors) {
    const std::string line =
        options.json ? programs::event_line("mirror", {{"name", mirror.name}, {"comment", mirror.comment}})
        : mirror.name.empty() ? fmt::format("{:<15}\t{}", "(no name)", escape_text(mirror.comment))
                              : fmt::format("{:<15}\t{}", escape(mirror.name), escape_text(mirror.comment));
    std::printf("%s\n", line.c_str());
  }
  return std::fflush(stdout) == 0 ? to_int(ExitCode::ok) : to_int(ExitCode::file);
}

}  // namespace

int run_client(int argc, char** argv, const source::Capacities& capacities) {
  try {
    open_standard_descriptors();
    share_heaps();
    auto parsed = parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    if (const Result<void> enough = raise_descriptor_limit(kDescriptorsNeeded); !enough)
      return give_up(enough.error(), ExitCode::start);
    Options& options = std::get<Options>(parsed);
    if (options.keys.show) return programs::show_key("client-sync", own_key_of(options));
    if (options.join) return join_server(options, own_key_of(options));
    if (const Result<void> known = look_up_server(options); !known)
      return give_up(known.error(), ExitCode::file);
    return options.list ? list(options) : run(options, capacities);
  } catch (const std::bad_alloc&) {
    std::fputs("client-sync: out of memory\n", stderr);
    return to_int(ExitCode::memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "client-sync: %s\n", error.what());
    return to_int(ExitCode::diagnostics);
  }
}

}  // namespace ssync::client_program
