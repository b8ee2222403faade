// The client between syncs: opens the source anew each time, keeps the guards on its identity, waits, tries
// again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/exit_code.h"
#include "ssync/base/signals.h"
#include "ssync/fs/tree.h"
#include "ssync/index/trouble.h"
#include "ssync/net/transport.h"
#include "ssync/session/backoff.h"

#include "options.h"
#include "report.h"
#include "source_sync.h"

namespace ssync::client_program {

/// A source that was opened, and which one it is.
struct Source {
  fs::Root root;
  RootIdentity identity;
  std::vector<fs::DirectoryId> chain;
};
/// Errc::lost when its file system does not answer within 15 s: the thread that waits for it is left behind.
[[nodiscard]] Result<Source> open_source(const std::string& directory);

/// Of a source that cannot be opened.
[[nodiscard]] ExitCode code_of_root(const Error& error);

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
                                                    const RootIdentity& identity) const;
  /// False: a signal came.
  /// Joins its threads. False: a signal came. The process ends here when they do not come back.
  [[nodiscard]] bool put_away(std::unique_ptr<SourceSync> sync, ExitCode code);
  [[nodiscard]] Result<bool> pause(std::chrono::milliseconds time);
  void tell(const Outcome& outcome);
  /// Once, until it is another one or none.
  void tell_index_trouble(const std::string& trouble);
  [[nodiscard]] bool is_progress(const Outcome& outcome);

  const Options& options_;
  const Capacities capacities_;
  net::Context& context_;
  Signals& signals_;
  Report& report_;
  session::Backoff backoff_;
  const wire::ClientId client_id_;
  std::string last_trouble_;  ///< said once, until it changes
  index::TroubleNews index_trouble_;
  /// The root of the last sync, for when there is no index to tell.
  std::optional<RootIdentity> last_root_;
  bool server_was_gone_ = false;             ///< that was the trouble
  std::optional<std::uint64_t> least_left_;  ///< changes to make, of all syncs that broke
  std::uint64_t most_sent_ = 0;              ///< bytes of files, of any sync that broke
};

}  // namespace ssync::client_program
