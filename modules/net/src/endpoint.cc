#include "endpoint.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "address.h"

namespace ssync::net {
namespace {

constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

Result<TapEndpoint> parse_ipc(const std::string& path) {
  if (path.empty() || path.front() != '/') {
    return fail(Errc::invalid_argument,
                fmt::format("tap endpoint ipc://{}: the path must be absolute", path));
  }
  if (path.size() > kPathBytesMax) {
    return fail(Errc::too_long,
                fmt::format("tap endpoint ipc://{}: the path has {} bytes, a socket's may have {}", path,
                            path.size(), kPathBytesMax));
  }
  const std::size_t slash = path.rfind('/');
  return TapEndpoint{path, slash == 0 ? "/" : path.substr(0, slash), {}, {}};
}

Result<TapEndpoint> parse_tcp(std::string_view rest, bool bind) {
  const auto bad = [&] {
    return fail(Errc::invalid_argument,
                fmt::format("tap endpoint tcp://{}: it must be an address and a port", rest));
  };
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad();
  std::uint16_t port = 0;
  const char* end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data() + colon + 1, end, port);
  if (error != std::errc{} || stop != end || port == 0) return bad();
  const std::string host(rest.substr(0, colon));
  // Brackets around IPv6 are for the colon's sake.
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string plain = has_brackets ? host.substr(1, host.size() - 2) : host;
  SSYNC_TRY(auto addresses, bind ? bind_addresses(host, port) : resolve(plain, port));
  return TapEndpoint{{}, {}, plain, std::move(addresses)};
}

bool is_at(int fd, const std::string& path) noexcept {
  struct stat held {};
  struct stat there {};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &there) == 0 && held.st_dev == there.st_dev &&
         held.st_ino == there.st_ino;
}

}  // namespace

Result<TapEndpoint> parse_tap_endpoint(const std::string& endpoint, bool bind) {
  constexpr std::string_view kIpc = "ipc://";
  constexpr std::string_view kTcp = "tcp://";
  if (endpoint.starts_with(kIpc)) return parse_ipc(endpoint.substr(kIpc.size()));
  if (endpoint.starts_with(kTcp)) return parse_tcp(std::string_view(endpoint).substr(kTcp.size()), bind);
  return fail(Errc::invalid_argument,
              fmt::format("tap endpoint \"{}\": it must start with ipc:// or tcp://", endpoint));
}

Result<PathLock> PathLock::take(const std::string& path) {
  std::string name = path + ".lock";
  while (true) {
    UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
    if (!fd) return fail(errno_error("open " + name, errno));
    int rc = 0;
    do {
      rc = ::flock(fd.get(), LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0 && errno == EWOULDBLOCK) return fail(Errc::busy, path + " is in use by another server");
    if (rc != 0) return fail(errno_error("lock " + name, errno));
    // Its last owner may have removed the file between the two calls: then this locks nothing that others can
    // see.
    if (is_at(fd.get(), name)) return PathLock(std::move(name), std::move(fd));
  }
}

PathLock::~PathLock() {
  if (fd_) ::unlink(name_.c_str());
}

}  // namespace ssync::net
