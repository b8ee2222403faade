#include "server_program.h"

#include <sys/stat.h>

#include <cstdio>
#include <exception>
#include <new>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/memory.h"
#include "ssync/base/signals.h"
#include "ssync/base/text.h"
#include "ssync/fs/path.h"
#include "ssync/monitor/tap.h"
#include "ssync/wire/limits.h"

#include "options.h"
#include "report.h"
#include "server_loop.h"

namespace ssync::server_program {
namespace {

int give_up(const Error& error, ExitCode code) {
  std::fprintf(stderr, "server-sync: %s\n", error.text().c_str());
  return to_int(code);
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

/// Beside 0 to 2, in the course of a sync that keeps none for later. libzmq ends the process, or spins on its
/// listener, where it cannot have those it needs.
constexpr std::size_t kDescriptorsNeeded = 30;

/// libzmq allocates every message that it receives, and another thread frees it when it is written: as much
/// as one session's credit stays for the next ones.
void keep_receive_buffers() noexcept {
  keep_freed_memory(wire::kChunkBytesMax, wire::kWindowBytes);
}

ExitCode code_of_root(const Error& error) {
  if (error.code == Errc::lost) return ExitCode::file;
  return error.code == Errc::busy ? ExitCode::start : ExitCode::selection;
}

int run(const Options& options, const Capacities& capacities) {
  if (options.log_file) {
    if (const Result<void> trusted = fs::check_links(*options.log_file); !trusted)
      return give_up(context(trusted.error(), "--log-file"), ExitCode::file);
  }
  if (const Result<void> trusted = fs::check_links(options.state_dir); !trusted)
    return give_up(context(trusted.error(), "--state-dir"), ExitCode::file);
  Result<Report> report = Report::open(options.log_file, options.json);
  if (!report) return give_up(report.error(), ExitCode::file);
  umask(0);  // from here on: modes in the mirror are the source's, exactly
  if (!is_loopback(options.address) && !options.insecure) {
    std::fprintf(stderr,
                 "server-sync: %s is reachable from other machines, and anybody who reaches it could "
                 "overwrite %s: say --insecure to listen there all the same\n",
                 escape(options.address).c_str(), escape(options.directory).c_str());
    return to_int(ExitCode::usage);
  }
  Result<fs::Root> root = fs::Root::open(options.directory, fs::Root::Lock::yes);
  if (!root) return give_up(root.error(), code_of_root(root.error()));
  Result<Signals> signals = Signals::block();
  if (!signals) return give_up(signals.error(), ExitCode::start);
  Result<EventFd> wake = EventFd::create();
  if (!wake) return give_up(wake.error(), ExitCode::start);
  // Only who has the lock may: another server's staging is alive.
  if (root->locked() || !root->epoch().empty()) {
    if (const auto removed = fs::remove_abandoned_staging(root->tree()); removed && *removed > 0) {
      report->notice(fmt::format("Removed {} staging director{} of an interrupted run", *removed,
                                 *removed == 1 ? "y" : "ies"));
    }
  }

  if (!root->locked()) {
    report->warning(fmt::format(
        "{} is on a file system that cannot be locked: make sure that no other server-sync writes it",
        escape(root->absolute_path())));
  }

  net::Context context;
  monitor::TapRing ring;
  net::ServerTransport::Options bind;
  bind.address = options.address;
  bind.control_port = options.control_port;
  bind.data_port = options.data_port;
  auto transport = net::ServerTransport::bind(context, bind, options.no_monitor ? nullptr : &ring);
  if (!transport) return give_up(transport.error(), ExitCode::socket);
  std::unique_ptr<monitor::TapPublisher> publisher;
  if (!options.no_monitor) {
    const std::string endpoint =
        options.monitor.value_or(monitor::default_endpoint((*transport)->control_port()));
    auto started = monitor::TapPublisher::start(context, ring, endpoint);
    if (started) {
      publisher = std::move(*started);
    } else if (options.monitor) {
      return give_up(started.error(), ExitCode::socket);
    } else {
      report->warning(fmt::format("no tap for monitor-sync: {}", started.error().text()));
    }
  }
  if (options.insecure && !is_loopback(options.address)) {
    report->warning(
        fmt::format("listening on {} without authentication: anybody who reaches it can overwrite {}",
                    options.address, escape(options.directory)));
  }
  report->listening((*transport)->control_port(), (*transport)->data_port(), options.address,
                    root->absolute_path());
  ServerLoop loop(options, std::move(*root), **transport, *signals, *wake, *report, capacities);
  const Result<ExitCode> ended = loop.run();
  if (!ended) return give_up(ended.error(), ExitCode::socket);
  report->notice("Stopped");
  return to_int(*ended);
}

}  // namespace
int run_server(int argc, char** argv, const Capacities& capacities) {
  try {
    open_standard_descriptors();
    keep_receive_buffers();
    share_heaps();
    auto parsed = parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    if (const Result<void> enough = raise_descriptor_limit(kDescriptorsNeeded); !enough)
      return give_up(enough.error(), ExitCode::start);
    return run(std::get<Options>(parsed), capacities);
  } catch (const std::bad_alloc&) {
    std::fputs("server-sync: out of memory\n", stderr);
    return to_int(ExitCode::memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server-sync: %s\n", error.what());
    return to_int(ExitCode::diagnostics);
  }
}

}  // namespace ssync::server_program
