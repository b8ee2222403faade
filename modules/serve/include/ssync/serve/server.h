// A server: mirrors behind one pair of ports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/base/watched.h"
#include "ssync/mirror/options.h"
#include "ssync/net/own_key.h"
#include "ssync/serve/clients.h"
#include "ssync/serve/observer.h"
#include "ssync/wire/limits.h"

namespace ssync::serve {

/// A mirror as clients know it.
struct MirrorOptions {
  std::string name;     ///< what they ask for; empty: what who asks for none gets
  std::string comment;  ///< for people, in the list of mirrors
  mirror::Options mirror;
};

struct Options {
  std::string program = "server-sync";              ///< its name and version, for clients
  std::vector<std::string> addresses{"localhost"};  ///< net::ServerTransport::Options
  std::uint16_t control_port = wire::kControlPort;  ///< 0: any free one
  std::uint16_t data_port = wire::kDataPort;
  net::OwnKey own_key;        ///< called when an address is beyond loopback, or with require_keys
  bool require_keys = false;  ///< on loopback too
  Clients clients;            ///< whose keys are known
  ClientKeeper client_keeper;
  bool insecure = false;               ///< no keys: anybody who reaches the ports can overwrite the mirrors
  std::size_t connections_max = 4096;  ///< at a time, of both ports; each is a descriptor
  bool has_tap = false;
  std::optional<std::string> tap_endpoint;  ///< absent: the default one of the control port
  /// No two of one name, none in another or equal to it.
  std::vector<MirrorOptions> mirrors;
  std::size_t syncs_max = 8;  ///< at the same time, of different mirrors; 0: no limit
  mirror::Capacities capacities;
};

/// Syncs of different mirrors run at the same time, those of one mirror one after the other. What one of them
/// waits for holds up no other one.
///
/// Thread safety: one thread at a time, but for set_mirrors() and stop(). It starts threads: create it after
/// signals were blocked.
class Server {
 public:
  /// Opens and locks the mirrors. `observer` outlives the server. Sets the process's umask to 0, as modes in
  /// a mirror are the source's. Errors: fs::Root::open().
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(Options options, Observer& observer);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The directories of the mirrors that it was opened with, as absolute paths.
  [[nodiscard]] const std::vector<std::string>& directories() const noexcept;
  /// Errors: Errc::busy when a port is in use, and what net::ServerTransport::bind() says.
  [[nodiscard]] Result<void> listen();
  // After listen().
  [[nodiscard]] std::vector<std::string> listening() const;  ///< each address, with the control port
  [[nodiscard]] bool has_keys() const noexcept;              ///< clients show a key, and all is encrypted
  [[nodiscard]] std::uint16_t control_port() const noexcept;
  [[nodiscard]] std::uint16_t data_port() const noexcept;

  /// Serves until stop(); the syncs that run then are ended. Waits for their threads, so for the mirrors'
  /// file systems. Requires: listen(). Errors: the sockets failed.
  [[nodiscard]] Result<void> run(const Watched& watched = {});
  /// The mirrors from now on, soon: those of new directories are opened in a thread of their own; when one of
  /// them cannot be, that is told, and all stays as it was. One that goes ends its sync first. What changes
  /// for one that stays holds from its next sync on. Any thread, after listen().
  void set_mirrors(std::vector<MirrorOptions> mirrors);
  /// The clients from now on, soon; a session of one that is gone, or whose time is over, ends within a
  /// second. Any thread, after listen().
  void set_clients(Clients clients);
  /// Any thread.
  void stop() noexcept;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::serve
