#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/unique_fd.h"
#include "ssync/net/socket_owner.h"
#include "ssync/net/transport.h"

#include "address.h"
#include "backlog.h"
#include "connection_watch.h"
#include "credentials.h"
#include "describe.h"
#include "frames.h"
#include "options.h"
#include "socket_poll.h"

namespace ssync::net {
namespace {

using std::chrono::milliseconds;
using wire::Direction;

constexpr milliseconds kProbe{500};

/// A socket and its one connection. Neither is ever used for a second one.
struct Link {
  zmq::socket_t socket;
  PolledSocket polled{socket};
  std::optional<ConnectionWatch> watch;  // destroyed before the socket it watches
  SocketAddress address;
  Backlog backlog;
};

Result<std::unique_ptr<Link>> open_link(Context::Impl& context, Channel channel, const SocketAddress& address,
                                        const Security& security) {
  const Ipv6 ipv6 = address.family() == AF_INET6 ? Ipv6::on : Ipv6::off;
  SSYNC_TRY(auto socket, make_dealer(context, channel, ipv6, security));
  auto link = std::make_unique<Link>();
  link->socket = std::move(socket);
  link->address = address;
  SSYNC_TRY(auto watch, ConnectionWatch::attach(context, link->socket));
  link->watch.emplace(std::move(watch));
  if (zmq_connect(link->socket.handle(), endpoint_of(address).c_str()) != 0) {
    return fail(zmq_failure("connect to " + text_of(address), errno));
  }
  return link;
}

/// libzmq does not say why a connection could not be made, so this asks the system once more. Empty: it
/// cannot tell either.
std::string ask_why(const SocketAddress& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  int err = 0;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0)
    err = errno;
  if (err == EINPROGRESS) {
    pollfd item{fd.get(), POLLOUT, 0};
    if (::poll(&item, 1, static_cast<int>(kProbe.count())) <= 0) return "no answer";
    socklen_t length = sizeof err;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &length) != 0) return {};
  }
  return err == 0 ? std::string() : errno_error("connect", err).text().substr(std::strlen("connect: "));
}

class Client final : public ClientTransport {
 public:
  Client(Context::Impl& context, std::vector<SocketAddress> addresses, const Options& options, Tap* tap)
      : context_(context), addresses_(std::move(addresses)), options_(options), tap_(tap) {}

  /// Starts to connect to the next address of the host. False: there is none left.
  [[nodiscard]] Result<bool> try_next();

  [[nodiscard]] bool connected() const noexcept override { return connected_; }
  [[nodiscard]] std::string disconnect_reason() const override { return disconnected_; }
  [[nodiscard]] bool is_refused() const noexcept override { return refused_; }
  [[nodiscard]] Result<Ready> wait(milliseconds timeout, std::span<const int> fds) override;
  [[nodiscard]] Result<std::optional<wire::Frames>> receive_control() override;
  [[nodiscard]] Result<std::optional<DataMessage>> receive_data() override;
  [[nodiscard]] Result<void> send_control(wire::Frames frames) override;
  [[nodiscard]] Result<bool> send_data(Buffer& head, Buffer& payload) override;

 private:
  [[nodiscard]] bool tapped() const noexcept { return tap_ != nullptr && tap_->active(); }
  [[nodiscard]] static Route route(const Link& link, Direction direction) {
    return {direction, 0, text_of(link.address)};
  }
  [[nodiscard]] Result<Ready> poll_once(std::chrono::steady_clock::time_point deadline,
                                        std::span<const int> fds);
  [[nodiscard]] Result<void> follow_connections();
  [[nodiscard]] Result<void> try_address(const SocketAddress& address);
  [[nodiscard]] Result<void> on_ended(const Link& link);
  [[nodiscard]] Result<void> on_refused(const Link& link);
  [[nodiscard]] std::string why_unreachable() const;
  [[nodiscard]] Result<bool> receive_from(Link& link);
  [[nodiscard]] std::vector<Link*> links() const {
    return data_ ? std::vector<Link*>{control_.get(), data_.get()} : std::vector<Link*>{control_.get()};
  }
  void on_connected();
  void look_at_backlogs();
  void lose(const std::string& reason);
  [[nodiscard]] tl::unexpected<Error> closed() const { return fail(Errc::closed, disconnected_); }

  Context::Impl& context_;
  const std::vector<SocketAddress> addresses_;
  const Options options_;
  Tap* const tap_;
  std::size_t next_ = 0;
  Credentials credentials_;   ///< for the address that is being tried
  bool tried_again_ = false;  ///< that address
  std::unique_ptr<Link> control_;
  std::unique_ptr<Link> data_;  ///< null with control_only
  bool connected_ = false;
  bool data_full_ = false;
  std::string disconnected_;  ///< not empty: over
  bool refused_ = false;
  BacklogTimer backlogs_;
  SocketPoll poll_;
  Multipart message_;
};

Result<bool> Client::try_next() {
  if (next_ == addresses_.size()) return false;
  tried_again_ = false;
  SSYNC_TRY_VOID(try_address(addresses_[next_++]));
  return true;
}

Result<void> Client::try_address(const SocketAddress& address) {
  control_.reset();
  data_.reset();
  const SocketAddress control = with_port(address, options_.control_port);
  SSYNC_TRY(credentials_, credentials_for(control, options_));
  const Security security = credentials_.security();
  SSYNC_TRY(control_, open_link(context_, Channel::control, control, security));
  if (options_.control_only) return {};
  SSYNC_TRY(data_, open_link(context_, Channel::data, with_port(address, options_.data_port), security));
  return {};
}

Result<Ready> Client::wait(milliseconds timeout, std::span<const int> fds) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const bool was_connected = connected_;
    SSYNC_TRY(Ready ready, poll_once(std::min(deadline, backlogs_.next()), fds));
    SSYNC_TRY_VOID(follow_connections());
    ready.disconnected = !disconnected_.empty();
    const bool news = ready.disconnected || connected_ != was_connected || ready.control || ready.data ||
                      ready.data_room ||
                      std::find(ready.fds.begin(), ready.fds.end(), true) != ready.fds.end();
    if (news || std::chrono::steady_clock::now() >= deadline) return ready;
  }
}

Result<Ready> Client::poll_once(std::chrono::steady_clock::time_point deadline, std::span<const int> fds) {
  const auto data_events = static_cast<short>(data_full_ ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN);
  std::array<SocketPoll::Item, 4> sockets{{{&control_->polled}, {&control_->watch->polled()}}};
  if (data_) sockets[2] = {&data_->polled, data_events};
  if (data_) sockets[3] = {&data_->watch->polled()};
  Ready ready;
  // What is lost stays lost: then this only looks.
  SSYNC_TRY_VOID(poll_.wait(std::span(sockets).first(data_ ? 4 : 2), fds,
                            disconnected_.empty() ? deadline : std::chrono::steady_clock::time_point{},
                            ready.fds));
  ready.control = control_->polled.readable();
  ready.data = data_ && data_->polled.readable();
  ready.data_room = data_ && data_->polled.writable();
  return ready;
}

Result<void> Client::follow_connections() {
  if (!disconnected_.empty()) return {};
  for (Link* link : links()) {
    if (link->watch->polled().readable()) SSYNC_TRY_VOID(link->watch->drain());
  }
  for (const Link* link : links()) {
    if (link->watch->state() == ConnectionWatch::State::ended) return on_ended(*link);
  }
  const auto is_open = [](const Link* link) {
    return link->watch->state() == ConnectionWatch::State::connected;
  };
  if (!connected_ && std::ranges::all_of(links(), is_open)) on_connected();
  look_at_backlogs();
  return {};
}

void Client::look_at_backlogs() {
  if (backlogs_.due(std::chrono::steady_clock::now()) == BacklogTimer::Look::none) return;
  bool any_much = false;
  for (Link* link : links()) {
    if (link->watch->state() != ConnectionWatch::State::connected) continue;
    if (link->backlog.look(link->watch->fd()) > kBacklogMax)
      return lose(fmt::format("{}: the server sends a message without an end", text_of(link->address)));
    any_much = any_much || link->backlog.is_much();
  }
  backlogs_.found_much(any_much);
}

Result<void> Client::on_ended(const Link& link) {
  if (link.watch->was_connected()) {
    lose(fmt::format("{}: {}", text_of(link.address), link.watch->reason()));
    return {};
  }
  if (link.watch->was_open()) return on_refused(link);
  SSYNC_TRY(const bool trying, try_next());
  if (!trying) lose(why_unreachable());
  return {};
}

/// The server may have started between the look at what it leaves and the connection.
Result<void> Client::on_refused(const Link& link) {
  const SocketAddress& address = addresses_.at(next_ - 1);
  if (credentials_.kind == Security::Kind::secret && !std::exchange(tried_again_, true)) {
    const SocketAddress control = with_port(address, options_.control_port);
    SSYNC_TRY(const Credentials now, credentials_for(control, options_));
    if (!now.is_stranger) return try_address(address);
  }
  refused_ = credentials_.is_stranger || link.watch->is_denied();
  lose(explain_refusal(with_port(address, options_.control_port), credentials_, link.watch->is_denied(),
                       link.watch->reason()));
  return {};
}

/// About the first of the host's addresses, which is the one that a user expects to read about.
std::string Client::why_unreachable() const {
  for (const std::uint16_t port : {options_.control_port, options_.data_port}) {
    if (options_.control_only && port != options_.control_port) continue;
    const SocketAddress address = with_port(addresses_.front(), port);
    const std::string why = ask_why(address);
    if (!why.empty()) return fmt::format("{}: {}", text_of(address), why);
  }
  return fmt::format("{}: no connection", text_of(with_port(addresses_.front(), options_.control_port)));
}

void Client::on_connected() {
  if (!credentials_.proves_server()) {
    for (const Link* link : links()) {
      // Only now: until the server has accepted the connection, the kernel shows it as root's.
      const auto why = stranger(link->watch->fd());
      if (why) {
        refused_ = belongs_to_another(link->watch->fd());
        return lose(fmt::format("the server at {}", *why));
      }
    }
  }
  connected_ = true;
}

void Client::lose(const std::string& reason) {
  connected_ = false;
  disconnected_ = reason;
}

Result<bool> Client::receive_from(Link& link) {
  SSYNC_TRY(const bool any, receive(link.socket, message_));
  any ? link.polled.used() : link.polled.found_empty();
  if (any) link.backlog.taken(message_);
  return any;
}

Result<std::optional<wire::Frames>> Client::receive_control() {
  SSYNC_TRY(const bool any, receive_from(*control_));
  if (!any) return std::nullopt;
  const bool good = (message_.count == 2 || message_.count == 3) && message_.frames[0].empty();
  if (!good)
    return fail(Errc::protocol,
                fmt::format("a control message of {} frames from the server", message_.count));
  wire::Frames frames;
  frames.head = to_buffer(std::move(message_.frames[1]));
  if (message_.count == 3) frames.body = to_buffer(std::move(message_.frames[2]));
  if (tapped()) tap_->push(describe_reply(route(*control_, Direction::in), frames));
  return frames;
}

Result<std::optional<DataMessage>> Client::receive_data() {
  SSYNC_TRY(const bool any, receive_from(*data_));
  if (!any) return std::nullopt;
  if (message_.count != 2) {
    return fail(Errc::protocol, fmt::format("a data message of {} frames from the server", message_.count));
  }
  DataMessage out{0, to_buffer(std::move(message_.frames[0])), to_buffer(std::move(message_.frames[1]))};
  if (tapped()) tap_->push(describe_data(route(*data_, Direction::in), out.head, out.payload.size()));
  return out;
}

Result<void> Client::send_control(wire::Frames frames) {
  if (!disconnected_.empty()) return closed();
  std::array<zmq::message_t, 3> out{zmq::message_t(), to_message(frames.head), to_message(frames.body)};
  control_->polled.used();
  SSYNC_TRY(const Sent sent, send(control_->socket, out));
  if (sent != Sent::yes) {
    return fail(Errc::closed, connected_ ? "the server does not read what is sent to it" : "not connected");
  }
  if (tapped()) tap_->push(describe_request(route(*control_, Direction::out), frames));
  return {};
}

Result<bool> Client::send_data(Buffer& head, Buffer& payload) {
  if (!disconnected_.empty()) return closed();
  std::array<zmq::message_t, 2> out{to_message(head), to_message(payload)};
  data_->polled.used();
  SSYNC_TRY(const Sent sent, send(data_->socket, out));
  data_full_ = sent == Sent::full;
  if (data_full_) return false;
  if (sent == Sent::gone) return fail(Errc::closed, "the data connection broke");
  if (tapped()) tap_->push(describe_data(route(*data_, Direction::out), head, payload.size()));
  head = Buffer();
  payload = Buffer();
  return true;
}

}  // namespace

Result<std::unique_ptr<ClientTransport>> ClientTransport::connect(Context& context, const Options& options,
                                                                  Tap* tap) {
  SSYNC_TRY(auto addresses, resolve(options.host, options.control_port));
  auto client = std::make_unique<Client>(context.impl(), std::move(addresses), options, tap);
  SSYNC_TRY_VOID(client->try_next());
  return client;
}

}  // namespace ssync::net
