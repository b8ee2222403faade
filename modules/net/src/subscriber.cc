#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ssync/net/private_file.h"
#include "ssync/net/transport.h"

#include "backlog.h"
#include "credentials.h"
#include "endpoint.h"
#include "frames.h"
#include "options.h"
#include "socket_events.h"

namespace ssync::net {
namespace {

using std::chrono::milliseconds;

constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

class SubSubscriber final : public Subscriber {
 public:
  SubSubscriber(zmq::socket_t socket, zmq::socket_t events, SocketAddress server, Credentials credentials)
      : socket_(std::move(socket)),
        events_(std::move(events)),
        server_(server),
        credentials_(std::move(credentials)) {}
  // The writer first: an event for a pair that is gone would block libzmq's thread.
  ~SubSubscriber() override { stop_events(socket_); }
  [[nodiscard]] Result<std::optional<Buffer>> receive(milliseconds timeout,
                                                      std::span<const int> fds) override;

 private:
  [[nodiscard]] Result<void> follow_connection();
  [[nodiscard]] Result<void> look_at_backlog();

  zmq::socket_t socket_;
  zmq::socket_t events_;
  const SocketAddress server_;  ///< of tcp
  const Credentials credentials_;
  int fd_ = -1;  ///< of the connection, libzmq's own
  Backlog backlog_;
  BacklogTimer backlogs_;
  Multipart message_;
};

Result<std::optional<Buffer>> SubSubscriber::receive(milliseconds timeout, std::span<const int> fds) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<zmq_pollitem_t> items;
  items.reserve(fds.size() + 2);
  items.push_back({socket_.handle(), 0, ZMQ_POLLIN, 0});
  items.push_back({events_.handle(), 0, ZMQ_POLLIN, 0});
  for (const int fd : fds)
    items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  while (true) {
    // A local socket's kernel does not say what it received.
    const bool is_tcp = server_.length > 0;
    SSYNC_TRY(const int ready, poll(items, is_tcp ? std::min(deadline, backlogs_.next()) : deadline));
    if (is_tcp) SSYNC_TRY_VOID(look_at_backlog());
    if (ready == 0 && std::chrono::steady_clock::now() < deadline) continue;
    if (ready == 0) return std::nullopt;
    for (std::size_t i = 2; i < items.size(); ++i) {
      if (items[i].revents != 0) return std::nullopt;
    }
    if (items[1].revents != 0) SSYNC_TRY_VOID(follow_connection());
    SSYNC_TRY(const bool any, net::receive(socket_, message_));
    if (any) backlog_.taken(message_);
    if (any && message_.count == 2) return to_buffer(std::move(message_.frames[1]));
  }
}

Result<void> SubSubscriber::look_at_backlog() {
  // As many records as make_sub() keeps, of a size that none has.
  constexpr std::uint64_t kMax = 4 * kBacklogMax;
  if (backlogs_.due(std::chrono::steady_clock::now()) == BacklogTimer::Look::none || fd_ < 0) return {};
  if (backlog_.look(fd_) > kMax)
    return fail(Errc::protocol, text_of(server_) + ": the server sends a message without an end");
  backlogs_.found_much(backlog_.is_much());
  return {};
}

Result<void> SubSubscriber::follow_connection() {
  while (true) {
    SSYNC_TRY(const auto event, next_event(events_, message_));
    if (!event) return {};
    if (event->number == ZMQ_EVENT_CONNECTED) {
      fd_ = event->value;
      backlog_ = {};
    }
    if (event->number == ZMQ_EVENT_DISCONNECTED) fd_ = -1;
    if (event->number != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) continue;
    // A server that was started anew has another secret; who looks again finds it.
    if (credentials_.kind != Security::Kind::keys) continue;
    return fail(Errc::refused, explain_refusal(server_, credentials_, true, "") +
                                   ", or does not let it monitor (--rights monitor)");
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
Result<Credentials> credentials_for_tap(const SocketAddress& address, const std::string& host,
                                        const Subscriber::Options& options) {
  ClientTransport::Options client;
  client.host = host;
  if (options.server_key) {
    SSYNC_TRY(client.server_key, options.server_key(host));
  }
  client.own_key = options.own_key;
  SSYNC_TRY(Credentials credentials, credentials_for(address, client));
  if (credentials.is_stranger)
    return fail(Errc::refused, fmt::format("no server of this user has its tap at {}", text_of(address)));
  return credentials;
}

}  // namespace

Result<std::unique_ptr<Subscriber>> Subscriber::connect(Context& context, const Options& options) {
  SSYNC_TRY(const TapEndpoint endpoint, parse_tap_endpoint(options.endpoint, false));
  Credentials credentials;
  SocketAddress server;
  std::string text = "ipc://" + endpoint.path;
  if (endpoint.is_tcp()) {
    server = endpoint.addresses.at(options.attempt % endpoint.addresses.size());
    text = endpoint_of(server);
    SSYNC_TRY(credentials, credentials_for_tap(server, endpoint.host, options));
  } else {
    SSYNC_TRY_VOID(check_directory(endpoint.directory));
  }
  const Ipv6 ipv6 = server.family() == AF_INET6 ? Ipv6::on : Ipv6::off;
  SSYNC_TRY(auto socket, make_sub(context.impl(), ipv6, credentials.security()));
  SSYNC_TRY(auto events, watch_events(context.impl(), socket, kEvents));
  if (zmq_connect(socket.handle(), text.c_str()) != 0) return fail(zmq_failure("connect to " + text, errno));
  return std::make_unique<SubSubscriber>(std::move(socket), std::move(events), server,
                                         std::move(credentials));
}

}  // namespace ssync::net
