// A server: mirrors behind one pair of ports.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ssync/base/result.h"
#include "ssync/base/watched.h"
#include "ssync/mirror/options.h"
#include "ssync/serve/observer.h"
#include "ssync/wire/limits.h"

namespace ssync::serve {

struct Options {
  std::string program = "server-sync";              ///< its name and version, for clients
  std::string address = "localhost";                ///< numeric, "localhost", or "*"
  std::uint16_t control_port = wire::kControlPort;  ///< 0: any free one
  std::uint16_t data_port = wire::kDataPort;
  bool insecure = false;  ///< may listen beyond loopback, where anybody can overwrite the mirror
  bool has_tap = false;
  std::optional<std::string> tap_endpoint;  ///< absent: the default one of the control port
  mirror::Options mirror;
  mirror::Capacities capacities;
};

/// Errc::permission when it would listen beyond loopback, and was not told to.
[[nodiscard]] Result<void> check_address(const Options& options);

/// Thread safety: owner thread only, but for stop(). Create it before threads that must not get this
/// process's signals, and after those were blocked: it starts threads.
class Server {
 public:
  /// Opens and locks the mirror. `observer` outlives the server. Sets the process's umask to 0, as modes in a
  /// mirror are the source's. Errors: check_address(), fs::Root::open().
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(Options options, Observer& observer);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Errors: Errc::busy when a port is in use, and what net::ServerTransport::bind() says.
  [[nodiscard]] Result<void> listen();
  // After listen().
  [[nodiscard]] std::uint16_t control_port() const noexcept;
  [[nodiscard]] std::uint16_t data_port() const noexcept;
  /// Absolute.
  [[nodiscard]] const std::string& directory() const noexcept;

  /// Serves until stop(); the sync that runs then is ended. Waits for its threads, so for the mirror's file
  /// system. Requires: listen(). Errors: the sockets failed.
  [[nodiscard]] Result<void> run(const Watched& watched = {});
  /// Any thread.
  void stop() noexcept;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::serve
