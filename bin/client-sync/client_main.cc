#include "client_main.h"

#include <cstdio>
#include <exception>
#include <new>

#include "ssync/base/descriptors.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/memory.h"
#include "ssync/base/signals.h"
#include "ssync/fs/path.h"
#include "ssync/fs/tree.h"
#include "ssync/net/transport.h"

#include "client_program.h"
#include "options.h"
#include "report.h"

namespace ssync::client_program {
namespace {

/// Beside 0 to 2, in the course of a sync that keeps none for later. libzmq ends the process where it cannot
/// have those it needs.
constexpr std::size_t kDescriptorsNeeded = 30;

int give_up(const Error& error, ExitCode code) {
  std::fprintf(stderr, "client-sync: %s\n", error.text().c_str());
  return to_int(code);
}

int run(const Options& options, const Capacities& capacities) {
  if (options.log_file) {
    if (const Result<void> trusted = fs::check_links(*options.log_file); !trusted)
      return give_up(context(trusted.error(), "--log-file"), ExitCode::file);
  }
  if (const Result<void> trusted = fs::check_links(options.state_dir); !trusted)
    return give_up(context(trusted.error(), "--state-dir"), ExitCode::file);
  Result<Report> report = Report::open(options);
  if (!report) return give_up(report.error(), ExitCode::file);
  // A source that is not there at the start is a typing error; later it is waited for.
  if (const Result<Source> source = open_source(options.directory); !source)
    return give_up(source.error(), code_of_root(source.error()));
  Result<Signals> signals = Signals::block();
  if (!signals) return give_up(signals.error(), ExitCode::start);
  net::Context context;
  ClientProgram program(options, capacities, context, *signals, *report);
  const Result<ExitCode> ended = program.run();
  if (!ended) return give_up(ended.error(), ExitCode::socket);
  return to_int(*ended);
}

}  // namespace
int run_client(int argc, char** argv, const Capacities& capacities) {
  try {
    open_standard_descriptors();
    share_heaps();
    auto parsed = parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    if (const Result<void> enough = raise_descriptor_limit(kDescriptorsNeeded); !enough)
      return give_up(enough.error(), ExitCode::start);
    return run(std::get<Options>(parsed), capacities);
  } catch (const std::bad_alloc&) {
    std::fputs("client-sync: out of memory\n", stderr);
    return to_int(ExitCode::memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "client-sync: %s\n", error.what());
    return to_int(ExitCode::diagnostics);
  }
}

}  // namespace ssync::client_program
