// The thread that owns the sockets: transport <-> session machine <-> the running syncs. Nothing in it waits
// for a disk.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "ssync/base/event_fd.h"
#include "ssync/base/result.h"
#include "ssync/mirror/options.h"
#include "ssync/net/transport.h"
#include "ssync/serve/observer.h"
#include "ssync/serve/server.h"
#include "ssync/session/server.h"

#include "room.h"

namespace ssync::serve {

/// One thread, but for stop().
class Loop {
 public:
  Loop(const Options& options, Room& room, net::ServerTransport& transport, EventFd& wake,
       Observer& observer);
  ~Loop();
  /// Until stop(). Errors: the transport failed.
  [[nodiscard]] Result<void> run(const Watched& watched);
  void stop() noexcept;

 private:
  using Effects = session::server::Effects;

  [[nodiscard]] Result<void> turn(const Watched& watched);
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

  void begin(Room::Work work, std::function<void()> what);
  void take_work();
  void opened();
  void closed();
  void abandon_work();
  void watch_root();

  const Options& options_;
  Room& room_;
  net::ServerTransport& transport_;
  EventFd& wake_;
  Observer& observer_;
  session::server::Server session_;
  std::atomic<bool> stopping_{false};
};

}  // namespace ssync::serve
