#include "server_program.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <new>

#include "ssync/base/descriptors.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/leave_anyway.h"
#include "ssync/base/memory.h"
#include "ssync/base/signals.h"
#include "ssync/base/text.h"
#include "ssync/fs/path.h"
#include "ssync/serve/server.h"
#include "ssync/wire/limits.h"

#include "options.h"
#include "report.h"

namespace ssync::server_program {
namespace {

int give_up(const Error& error, ExitCode code) {
  std::fprintf(stderr, "server-sync: %s\n", error.text().c_str());
  return to_int(code);
}

/// Who waits for a file system that does not answer is left behind.
constexpr auto kLeaveAfter = std::chrono::seconds(10);

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

serve::Options serve_options(const Options& options, const mirror::Capacities& capacities) {
  serve::Options out;
  out.program = "server-sync " SSYNC_VERSION;
  out.address = options.address;
  out.control_port = options.control_port;
  out.data_port = options.data_port;
  out.insecure = options.insecure;
  out.has_tap = !options.no_monitor;
  out.tap_endpoint = options.monitor;
  out.capacities = capacities;
  serve::MirrorOptions only;
  only.mirror.directory = options.directory;
  only.mirror.state_dir = options.state_dir;
  only.mirror.max_delete = options.max_delete;
  only.mirror.take_over = options.take_over;
  only.mirror.accept_root = options.accept_root;
  only.mirror.fsync = options.fsync;
  only.mirror.log_file = options.log_file;
  out.mirrors.push_back(std::move(only));
  return out;
}

int run(const Options& options, const mirror::Capacities& capacities) {
  if (options.log_file) {
    if (const Result<void> trusted = fs::check_links(*options.log_file); !trusted)
      return give_up(context(trusted.error(), "--log-file"), ExitCode::file);
  }
  if (const Result<void> trusted = fs::check_links(options.state_dir); !trusted)
    return give_up(context(trusted.error(), "--state-dir"), ExitCode::file);
  Result<Report> report = Report::open(options.log_file, options.json);
  if (!report) return give_up(report.error(), ExitCode::file);
  Result<Signals> signals = Signals::block();
  if (!signals) return give_up(signals.error(), ExitCode::start);
  const serve::Options serving = serve_options(options, capacities);
  if (const Result<void> checked = serve::check_address(serving); !checked)
    return give_up(checked.error(), ExitCode::usage);
  auto server = serve::Server::open(serving, *report);
  if (!server) return give_up(server.error(), code_of_root(server.error()));
  if (const Result<void> listening = (*server)->listen(); !listening)
    return give_up(listening.error(), ExitCode::socket);
  report->listening((*server)->control_port(), (*server)->data_port(), options.address,
                    (*server)->directories().front());
  const Result<void> ended =
      (*server)->run({signals->fd(), [&] {
                        const Signals::Taken taken = signals->take();
                        if (taken.reopen_logs) report->reopen();
                        if (!taken.end) return;
                        leave_anyway(kLeaveAfter, ExitCode::interrupted,
                                     "server-sync: the mirror's file system does not answer");
                        (*server)->stop();
                      }});
  if (!ended) return give_up(ended.error(), ExitCode::socket);
  server->reset();
  report->notice("Stopped");
  return to_int(ExitCode::interrupted);
}

}  // namespace
int run_server(int argc, char** argv, const mirror::Capacities& capacities) {
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
