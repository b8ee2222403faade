// Endpoints of the tap. They come from users, and libzmq has transports that nobody should reach through an
// option, so only two forms pass: ipc in a directory of this user alone, and tcp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

#include "address.h"

namespace ssync::net {

struct TapEndpoint {
  std::string path;                      ///< of the socket; empty for tcp
  std::string directory;                 ///< of the path
  std::string host;                      ///< of tcp
  std::vector<SocketAddress> addresses;  ///< of tcp; else empty
  [[nodiscard]] bool is_tcp() const noexcept { return path.empty(); }
};

/// `bind`: to listen there, as bind_addresses() takes them; else to connect, as resolve() does. May block for
/// a name. Errors: Errc::invalid_argument, Errc::too_long for a path that does not fit into a socket address;
/// those of resolve().
[[nodiscard]] Result<TapEndpoint> parse_tap_endpoint(const std::string& endpoint, bool bind);

/// An exclusive lock on a path: a locked file beside it, `path`.lock, removed at the end. libzmq takes an ipc
/// path away from whoever has it, without a word.
class PathLock {
 public:
  /// Errors: Errc::busy when another process has the lock.
  [[nodiscard]] static Result<PathLock> take(const std::string& path);
  PathLock() = default;  ///< of nothing
  PathLock(PathLock&&) noexcept = default;
  PathLock& operator=(PathLock&&) noexcept = default;
  ~PathLock();

 private:
  PathLock(std::string name, UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)) {}
  std::string name_;
  UniqueFd fd_;
};

}  // namespace ssync::net
