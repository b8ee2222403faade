// The client between syncs: opens the source anew each time, keeps the guards on its identity, waits, tries
// again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ssync/base/exit_code.h"
#include "ssync/base/signals.h"
#include "ssync/net/transport.h"
#include "ssync/session/backoff.h"

#include "options.h"
#include "report.h"
#include "source_sync.h"

namespace ssync::client_program {

/// One thread.
class ClientProgram {
 public:
  ClientProgram(const Options& options, Capacities capacities, net::Context& context, Signals& signals,
                Report& report);
  /// Until the end of the one sync (--once), or a signal.
  [[nodiscard]] Result<ExitCode> run();

 private:
  /// One attempt. `connect`: how long to try to reach the server.
  [[nodiscard]] Result<Outcome> attempt(std::chrono::milliseconds connect);
  [[nodiscard]] std::optional<Outcome> another_root(const fs::Root& root, const index::Index& index,
                                                    const fs::RootIdentity& identity) const;
  /// False: a signal came.
  [[nodiscard]] Result<bool> pause(std::chrono::milliseconds time);
  void tell(const Outcome& outcome);

  const Options& options_;
  const Capacities capacities_;
  net::Context& context_;
  Signals& signals_;
  Report& report_;
  session::Backoff backoff_;
  const wire::ClientId client_id_;
  std::string last_trouble_;  ///< said once, until it changes
};

}  // namespace ssync::client_program
