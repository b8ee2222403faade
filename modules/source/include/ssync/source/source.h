// A source that is kept mirrored: it is opened anew for each sync, its identity is guarded, and what failed
// is tried again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ssync/base/exit_code.h"
#include "ssync/base/result.h"
#include "ssync/base/watched.h"
#include "ssync/net/keys.h"
#include "ssync/net/own_key.h"
#include "ssync/source/observer.h"
#include "ssync/wire/limits.h"
#include "ssync/wire/messages.h"

namespace ssync::source {

/// Sizes of what is between the parts of a sync. A test runs everything with 1 of each.
struct Capacities {
  std::size_t lists = wire::kListWindow;
  std::size_t content_jobs = 256;
  std::size_t content_results = 4096;
  std::size_t reads = 1024;
  std::size_t chunks = 8;
};

struct Options {
  std::string program = "client-sync";  ///< its name and version, for the server
  std::string directory;
  std::string server = "localhost";
  /// What the server must prove to have. Absent: a server on this machine, of this user or root.
  std::optional<net::PublicKey> server_key;
  net::OwnKey own_key;    ///< called when a server wants a key
  bool insecure = false;  ///< talk to a server on another machine that shows no key
  std::string mirror;     ///< which of the server's; empty: the one without a name
  std::uint16_t control_port = wire::kControlPort;
  std::uint16_t data_port = wire::kDataPort;
  bool once = false;                                              ///< run() ends with the first sync
  std::chrono::milliseconds interval = std::chrono::seconds(60);  ///< between syncs
  /// With `once`: how long to look for the server, and to go on trying while nothing gets better. Else how
  /// long one attempt looks for the server.
  std::chrono::milliseconds connect = std::chrono::seconds(30);
  wire::SyncOptions sync;
  bool eager_digest = false;
  bool accept_root = false;              ///< it may be on another file system than at the last sync
  std::optional<std::string> source_id;  ///< absent: this machine and the path
  std::string state_dir;                 ///< where the index is
  /// A file of this process that is no part of the source, wherever it lies.
  std::optional<std::string> log_file;
  /// Called when run() should end, but a thread of it hangs in the source's file system. A program may exit
  /// in here. If it returns, or is empty, run() goes on waiting.
  std::function<void(ExitCode)> on_stuck;
  Capacities capacities;
};

/// Thread safety: owner thread only, but for stop(). Create it after signals were blocked: it starts threads.
class Source {
 public:
  /// `observer` outlives it. Errors: Errc::limit, out of descriptors.
  [[nodiscard]] static Result<std::unique_ptr<Source>> create(Options options, Observer& observer);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Whether it can be opened just now. Errc::lost when its file system does not answer within 15 s: the
  /// thread that waits for it is left behind.
  [[nodiscard]] static Result<void> look(const std::string& directory);
  /// The exit code for an Error of look().
  [[nodiscard]] static ExitCode code_of(const Error& error);

  /// Syncs until stop(), or once. Errors: this machine (descriptors, sockets). ExitCode::interrupted:
  /// stopped.
  [[nodiscard]] Result<ExitCode> run(const Watched& watched = {});
  /// Any thread.
  void stop() noexcept;

 private:
  struct Impl;
  explicit Source(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::source
