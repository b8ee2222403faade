#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ssync/net/private_file.h"
#include "ssync/net/transport.h"

#include "endpoint.h"
#include "frames.h"
#include "local_access.h"
#include "options.h"

namespace ssync::net {
namespace {

using std::chrono::milliseconds;

class SubSubscriber final : public Subscriber {
 public:
  explicit SubSubscriber(zmq::socket_t socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Result<std::optional<Buffer>> receive(milliseconds timeout,
                                                      std::span<const int> fds) override;

 private:
  zmq::socket_t socket_;
  Multipart message_;
};

Result<std::optional<Buffer>> SubSubscriber::receive(milliseconds timeout, std::span<const int> fds) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<zmq_pollitem_t> items;
  items.reserve(fds.size() + 1);
  items.push_back({socket_.handle(), 0, ZMQ_POLLIN, 0});
  for (const int fd : fds)
    items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  while (true) {
    SSYNC_TRY(const int ready, poll(items, deadline));
    if (ready == 0) return std::nullopt;
    for (std::size_t i = 1; i < items.size(); ++i) {
      if (items[i].revents != 0) return std::nullopt;
    }
    SSYNC_TRY(const bool any, net::receive(socket_, message_));
    if (any && message_.count == 2) return to_buffer(std::move(message_.frames[1]));
  }
}

/// Whoever owns the directory decides what is told there.
Result<void> check_directory(const std::string& directory) {
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0 && errno == ENOENT)
    return make_private_directory(directory, "the tap's socket");
  const bool trusted = status.st_uid == ::geteuid() || status.st_uid == 0 || ::geteuid() == 0;
  if (!S_ISDIR(status.st_mode) || !trusted) {
    return fail(Errc::refused,
                directory + " is not a directory of this user: what is told there cannot be trusted");
  }
  return {};
}

/// What opens a tap over TCP.
Result<LocalAccess> access_to(const SocketAddress& address) {
  SSYNC_TRY(auto access, find_local_access(address));
  if (access) return *std::move(access);
  return fail(Errc::refused, fmt::format("no server of this user has its tap at {}", text_of(address)));
}

}  // namespace

Result<std::unique_ptr<Subscriber>> Subscriber::connect(Context& context, const std::string& endpoint) {
  SSYNC_TRY(const TapEndpoint parsed, parse_tap_endpoint(endpoint));
  if (!parsed.path.empty()) SSYNC_TRY_VOID(check_directory(parsed.directory));
  LocalAccess access;
  if (parsed.path.empty()) {
    SSYNC_TRY(access, access_to(parsed.address));
  }
  Security security;
  if (access.kind == LocalAccess::Kind::secret) security = {Security::Kind::secret, &access.secret};
  SSYNC_TRY(auto socket, make_sub(context.impl(), security));
  if (zmq_connect(socket.handle(), parsed.text.c_str()) != 0) {
    return fail(zmq_failure("connect to " + parsed.text, errno));
  }
  return std::make_unique<SubSubscriber>(std::move(socket));
}

}  // namespace ssync::net
