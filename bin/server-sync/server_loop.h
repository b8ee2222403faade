// The thread that owns the sockets: transport <-> session machine <-> the running sync.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "ssync/base/event_fd.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/signals.h"
#include "ssync/fs/mirror_record.h"
#include "ssync/fs/path.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/index/trouble.h"
#include "ssync/net/transport.h"
#include "ssync/session/server.h"

#include "mirror_sync.h"
#include "options.h"
#include "report.h"

namespace ssync::server_program {

/// One server on one mirror. One thread.
class ServerLoop {
 public:
  ServerLoop(const Options& options, fs::Root root, net::ServerTransport& transport, Signals& signals,
             EventFd& wake, Report& report, Capacities capacities);
  ~ServerLoop();
  /// Until a signal. Errors: the transport failed.
  [[nodiscard]] Result<ExitCode> run();

 private:
  using Effects = session::server::Effects;

  [[nodiscard]] Result<void> turn();
  void take_signals();
  [[nodiscard]] Result<void> take_control();
  [[nodiscard]] Result<void> take_data();
  void take_sync();
  void carry_out(Effects effects);

  void on(session::server::SendReply& effect);
  void on(session::server::SendCredit& effect);
  void on(session::server::Kick& effect);
  void on(session::server::OpenSync& effect);
  void on(session::server::StartScan& effect);
  void on(session::server::ListRows& effect);
  void on(session::server::ListDirectories& effect);
  void on(session::server::DigestRows& effect);
  void on(session::server::FileFailed& effect);
  void on(session::server::Proceed& effect);
  void on(session::server::Deliver& effect);
  void on(session::server::CloseSync& effect);
  void on(session::server::Notice& effect);

  /// What may wait for the mirror's disk, off the thread that owns the sockets; one at a time.
  struct Aside;
  void aside(std::function<void()> work, std::function<void()> then);
  void take_aside();
  /// Nobody waits for it any more; what it leaves is put away when it comes back.
  void abandon_aside();
  void watch_root();
  void opened(session::Peer peer, const wire::Hello& hello);
  void close_down();

  struct Opened;
  [[nodiscard]] tl::expected<Opened, wire::ErrorReply> open_sync(const wire::Hello& hello);
  [[nodiscard]] Result<void> reopen_root();
  [[nodiscard]] Result<std::optional<fs::MirrorRecord>> kept_record();
  [[nodiscard]] bool is_on_another_disk(const RootIdentity& now) const;
  void tell_index_trouble();
  [[nodiscard]] Result<index::Header> header_after(index::Index& index, const wire::Hello& hello,
                                                   std::vector<std::string>& notes);

  const Options& options_;
  fs::Root root_;
  net::ServerTransport& transport_;
  Signals& signals_;
  EventFd& wake_;
  Report& report_;
  const Capacities capacities_;
  session::server::Server session_;

  // The running sync, in order of construction.
  std::unique_ptr<fs::Staging> staging_;
  std::optional<index::Index> index_;
  index::TroubleNews index_trouble_;
  std::string known_source_;  ///< of the last sync that ended well
  std::unique_ptr<MirrorSync> sync_;
  std::uint64_t list_announced_ = 0;
  Buffer payload_;  ///< of the data message being handled
  std::chrono::steady_clock::time_point started_;
  std::optional<wire::SyncDone> done_;
  bool stopping_ = false;

  std::unique_ptr<Opened> opened_;
  std::optional<wire::ErrorReply> refused_;
  std::unique_ptr<Aside> aside_;  ///< last: it uses the rest
};

}  // namespace ssync::server_program
