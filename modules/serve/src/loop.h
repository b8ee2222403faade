// The thread that owns the sockets: transport <-> session machine <-> the running syncs. Nothing in it waits
// for a disk.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ssync/base/event_fd.h"
#include "ssync/base/mutex.h"
#include "ssync/base/result.h"
#include "ssync/base/watched.h"
#include "ssync/mirror/options.h"
#include "ssync/net/transport.h"
#include "ssync/serve/observer.h"
#include "ssync/serve/server.h"
#include "ssync/session/server.h"

#include "guests.h"
#include "joining.h"
#include "slots.h"

namespace ssync::serve {

/// One thread, but for set_mirrors() and stop().
class Loop {
 public:
  /// What it works with. All borrowed.
  struct Parts {
    net::ServerTransport& transport;
    EventFd& wake;
    Observer& observer;
    const Clients& clients;
    const ClientKeeper& keeper;
    /// The keys that may connect from now on.
    std::function<void(const std::vector<net::KnownKey>&)> admit;
    /// Opens a mirror; may wait for its disk. Any thread.
    std::function<Result<std::unique_ptr<mirror::Mirror>>(const MirrorOptions&)> open;
  };
  Loop(session::server::Config config, const mirror::Capacities& capacities, Parts parts);
  ~Loop();

  /// Before run().
  void add(MirrorOptions options, std::unique_ptr<mirror::Mirror> mirror);
  /// Until stop(). Errors: the transport failed.
  [[nodiscard]] Result<void> run(const Watched& watched);
  /// Server::set_mirrors().
  void set_mirrors(std::vector<MirrorOptions> mirrors);
  /// Server::set_clients().
  void set_clients(Clients clients);
  void stop() noexcept;

 private:
  using Effects = session::server::Effects;

  [[nodiscard]] Result<void> round(const Watched& watched);
  [[nodiscard]] Result<void> take_control();
  [[nodiscard]] Result<void> take_data();
  void take_slot(Slot& slot);
  void take_sync(Slot& slot);
  void carry_out(Effects effects);

  void on(session::server::SendReply& effect);
  void on(session::server::SendCredit& effect);
  void on(session::server::Kick& effect);
  void on(session::server::OpenSync& effect);
  void on(session::server::Attached& effect);
  void on(session::server::StartScan& effect);
  void on(session::server::ListRows& effect);
  void on(session::server::ListDirectories& effect);
  void on(session::server::DigestRows& effect);
  void on(session::server::FileFailed& effect);
  void on(session::server::Proceed& effect);
  void on(session::server::Deliver& effect);
  void on(session::server::CloseSync& effect);
  void on(session::server::Notice& effect);
  /// Nothing runs for the session.
  void refused(session::SessionKey session, session::Peer peer, wire::ErrorReply why);
  /// The sync of a session; null when it is not made yet, or being put away.
  [[nodiscard]] mirror::Sync* sync_of(session::SessionKey session);

  // What is done aside.
  void begin(Slot& slot, Slot::Work work, std::function<void()> what);
  void take_work(Slot& slot);
  void opened(Slot& slot);
  void refuse(Slot& slot, wire::ErrorReply why);
  void closed(Slot& slot);
  void abandon_work(Slot& slot);
  void drop(Slot& slot);
  void watch_root(Slot& slot);
  void take_options(Slot& slot);

  // Who may do what.
  [[nodiscard]] session::server::Config with_rights(session::server::Config config);
  [[nodiscard]] bool is_allowed(session::Peer peer, const wire::Request& request);
  void take_joined();
  void take_new_clients();
  void dismiss_the_unwelcome();

  // Other mirrors than before.
  struct Opened;
  void open_new_mirrors();
  void take_new_mirrors();
  void apply(Opened opened);
  void announce();

  const mirror::Capacities capacities_;
  net::ServerTransport& transport_;
  const std::function<void(const std::vector<net::KnownKey>&)> admit_;
  EventFd& wake_;
  Observer& observer_;
  const std::function<Result<std::unique_ptr<mirror::Mirror>>(const MirrorOptions&)> open_;
  const std::function<void(const std::string&)> seen_;
  Guests guests_;
  session::server::Server session_;
  Slots slots_;
  std::chrono::steady_clock::time_point looked_at_guests_{};
  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  /// What set_mirrors() asked for, until opening it has begun.
  std::optional<std::vector<MirrorOptions>> wanted_ SSYNC_GUARDED_BY(mutex_);
  std::optional<Clients> wanted_clients_ SSYNC_GUARDED_BY(mutex_);
  std::unique_ptr<Opened> opened_;  ///< used by opening_'s thread until that is done
  std::unique_ptr<Aside> opening_;  ///< it uses the rest, as does the next
  Joining joining_;
};

}  // namespace ssync::serve
