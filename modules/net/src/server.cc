#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "ssync/net/transport.h"

#include "address.h"
#include "arrivals.h"
#include "backlog.h"
#include "describe.h"
#include "frames.h"
#include "local_access.h"
#include "options.h"
#include "peers.h"
#include "ports.h"
#include "protection.h"
#include "socket_poll.h"

namespace ssync::net {
namespace {

using Socket = ServerTransport::Socket;
using wire::Direction;

constexpr std::size_t kEnvelopeFrames = 3;  // before the head, the empty one included
constexpr std::size_t kEnvelopeFrameBytes = 256;
constexpr std::size_t kNoticesMax = 64;
constexpr std::chrono::milliseconds kSweepEvery{250};
/// Of all connections together (kBacklogMax: of one).
constexpr std::uint64_t kBacklogsMax = 192 * 1024 * 1024;

/// libzmq makes ids of 5 bytes that start with 0; any other was claimed by the peer.
bool made_by_libzmq(std::string_view routing_id) noexcept {
  return routing_id.size() == 5 && routing_id[0] == '\0';
}

const char* name_of(Socket socket) noexcept {
  return socket == Socket::control ? "control" : "data";
}

const char* user_id_of(const zmq::message_t& frame) noexcept {
  const char* const text = zmq_msg_gets(frame.handle(), "User-Id");
  return text == nullptr ? "" : text;
}

/// A socket that listens, and who connects to it. Stays where it is.
struct Listener {
  zmq::socket_t socket;
  PolledSocket polled{socket};
  std::optional<Arrivals> arrivals;  // destroyed before the socket it watches
};

struct Bound {
  std::unique_ptr<Listener> control;
  std::unique_ptr<Listener> data;
  ServerTransport::Protection protection = ServerTransport::Protection::none;
  std::vector<SocketAddress> addresses;
  std::uint16_t data_port = 0;
  std::vector<AccessFile> access_files;
  std::vector<std::string> notices;
};

class Server final : public ServerTransport {
 public:
  Server(Admission& admission, Bound bound, const Options& options, Tap* tap)
      : admission_(admission),
        control_(std::move(bound.control)),
        data_(std::move(bound.data)),
        connections_max_(options.connections_max),
        silence_(options.silence),
        protection_(bound.protection),
        addresses_(std::move(bound.addresses)),
        data_port_(bound.data_port),
        access_files_(std::move(bound.access_files)),
        notices_(std::move(bound.notices)),
        tap_(tap) {}

  [[nodiscard]] std::uint16_t control_port() const noexcept override { return port_of(addresses_.front()); }
  [[nodiscard]] std::uint16_t data_port() const noexcept override { return data_port_; }
  [[nodiscard]] Protection protection() const noexcept override { return protection_; }
  [[nodiscard]] std::vector<std::string> listening() const override {
    std::vector<std::string> out;
    for (const SocketAddress& address : addresses_)
      out.push_back(text_of(address));
    return out;
  }
  [[nodiscard]] Result<Ready> wait(std::chrono::milliseconds timeout, std::span<const int> fds,
                                   bool want_data) override;
  [[nodiscard]] Result<std::optional<ControlMessage>> receive_control() override;
  [[nodiscard]] Result<std::optional<DataMessage>> receive_data() override;
  [[nodiscard]] Result<void> send_control(PeerId id, wire::Frames frames) override;
  [[nodiscard]] Result<void> send_data(PeerId id, Buffer head, Buffer payload) override;
  void kick(PeerId id) override;
  void label(PeerId id, Label label) override;
  void unlabel(PeerId id, std::uint64_t session) override;
  [[nodiscard]] std::string address_of(PeerId id) const override;
  [[nodiscard]] std::optional<Identity> identity_of(PeerId id) const override;
  [[nodiscard]] std::vector<PeerId> open_peers() const override { return peers_.open(); }
  [[nodiscard]] std::vector<PeerId> take_gone() override { return std::exchange(gone_, {}); }
  [[nodiscard]] std::vector<std::string> take_notices() override;

 private:
  [[nodiscard]] bool tapped() const noexcept { return tap_ != nullptr && tap_->active(); }
  [[nodiscard]] static Route route(const Peer& peer, Direction direction) {
    return {direction, peer.id, peer.connection.address(), peer.label};
  }
  Peer* sender_of(Listener& from, Socket socket, const Multipart& message);
  Peer* admit(Socket socket, std::string_view routing_id, const zmq::message_t& frame);
  bool take_envelope(Peer& peer, Multipart& message, wire::Frames& into);
  void drop(Peer& peer, const char* what, const std::string& why);
  void note(std::string text);
  [[nodiscard]] Result<void> follow_arrivals();
  void keep_below_limit();
  void look_at_backlogs(SteadyTime now);
  void end_silence(SteadyTime now);
  void sweep();
  [[nodiscard]] Result<Peer*> receiver(PeerId id, Socket socket);
  [[nodiscard]] Result<void> deliver(Peer& peer, Listener& listener, std::span<zmq::message_t> frames);

  Admission& admission_;
  const std::unique_ptr<Listener> control_;
  const std::unique_ptr<Listener> data_;
  const std::size_t connections_max_;
  const std::chrono::milliseconds silence_;
  SocketPoll poll_;
  const Protection protection_;
  const std::vector<SocketAddress> addresses_;  ///< with the control port; not empty
  const std::uint16_t data_port_;
  const std::vector<AccessFile> access_files_;
  std::vector<std::string> notices_;
  Tap* const tap_;
  Peers peers_;
  std::vector<PeerId> gone_;
  bool is_crowded_ = false;  ///< and it was said
  SteadyTime swept_{};
  BacklogTimer backlogs_;
  Multipart message_;  // kept for its array only
};

Result<Ready> Server::wait(std::chrono::milliseconds timeout, std::span<const int> fds, bool want_data) {
  sweep();
  const auto now = std::chrono::steady_clock::now();
  const std::array<SocketPoll::Item, 4> sockets{
      {{&control_->polled},
       {&data_->polled, static_cast<short>(want_data ? ZMQ_POLLIN : 0)},
       {&control_->arrivals->polled()},
       {&data_->arrivals->polled()}}};
  Ready ready;
  SSYNC_TRY_VOID(poll_.wait(sockets, fds, std::min(now + timeout, backlogs_.next()), ready.fds));
  ready.control = control_->polled.readable();
  ready.data = data_->polled.readable();
  SSYNC_TRY_VOID(follow_arrivals());
  return ready;
}

/// The peer behind a message, or null when the message is to be dropped.
Peer* Server::sender_of(Listener& from, Socket socket, const Multipart& message) {
  if (message.count < 2) return nullptr;
  from.arrivals->taken(Connection::fd_of(message.frames[1]), message);
  const std::string_view routing_id = view_of(message.frames[0]);
  const zmq::message_t& second = message.frames[1];
  Peer* peer = peers_.find(socket, routing_id);
  if (peer == nullptr) return admit(socket, routing_id, second);
  if (peer->closed) return nullptr;
  if (peer->connection.fd() == Connection::fd_of(second) && peer->user_id == user_id_of(second)) return peer;
  // Somebody claimed this peer's routing id; libzmq has given it to him.
  if (const auto claimant = Connection::of(second)) claimant->shut();
  drop(*peer, "kicked", "another connection claims its routing id");
  return nullptr;
}

Peer* Server::admit(Socket socket, std::string_view routing_id, const zmq::message_t& frame) {
  const auto connection = Connection::of(frame);
  if (!connection) return nullptr;  // gone already
  if (Peer* const other = peers_.find(*connection)) {
    // One of the two closed before it was read, and the other got its descriptor's number. Which one cannot
    // be told.
    drop(*other, "kicked", "it cannot be told from another connection that has ended");
    return nullptr;
  }
  Peer& peer = peers_.add(socket, routing_id, *connection);
  const auto identity = admission_.identity_of(user_id_of(frame));
  if (!identity) {
    drop(peer, "refused", "nobody has let it in");
    return nullptr;
  }
  peer.identity = *identity;
  peer.user_id = user_id_of(frame);
  if (!made_by_libzmq(routing_id)) {
    drop(peer, "kicked", "it chose its own routing id");
    return nullptr;
  }
  if (tapped()) tap_->push(describe_connection(route(peer, Direction::in), "connected", name_of(socket)));
  return &peer;
}

void Server::drop(Peer& peer, const char* what, const std::string& why) {
  if (peer.closed) return;
  peer.connection.shut();
  Peers::close(peer, std::chrono::steady_clock::now());
  note(fmt::format("{} a connection from {} to the {} port: {}", what, peer.connection.address(),
                   name_of(peer.socket), why));
  if (tapped()) tap_->push(describe_connection(route(peer, Direction::none), what, why));
}

void Server::note(std::string text) {
  if (notices_.size() < kNoticesMax) notices_.push_back(std::move(text));
}

Result<void> Server::follow_arrivals() {
  const auto now = std::chrono::steady_clock::now();
  for (Listener* const listener : {control_.get(), data_.get()})
    if (listener->arrivals->polled().readable()) SSYNC_TRY_VOID(listener->arrivals->drain(now));
  keep_below_limit();
  look_at_backlogs(now);
  return {};
}

void Server::keep_below_limit() {
  const std::array<Arrivals*, 2> both{&*control_->arrivals, &*data_->arrivals};
  const bool is_over = keep_below(both, connections_max_);
  if (is_over && !std::exchange(is_crowded_, true)) {
    note(
        fmt::format("more than {} connections: those that do not finish their handshake make room for others",
                    connections_max_));
  }
  if (both[0]->count() + both[1]->count() <= connections_max_ / 2) is_crowded_ = false;
}

/// Who sends a message without an end, or more than he may, is not waited for.
void Server::look_at_backlogs(SteadyTime now) {
  const BacklogTimer::Look look = backlogs_.due(now);
  if (look == BacklogTimer::Look::none) return;
  const Arrivals::Backlogs control = control_->arrivals->look_at_backlogs(look, kBacklogMax);
  const Arrivals::Backlogs data = data_->arrivals->look_at_backlogs(look, kBacklogMax);
  backlogs_.found_much(control.any_much || data.any_much);
  std::size_t shut = control.shut + data.shut;
  if (control.bytes + data.bytes > kBacklogsMax) {
    Arrivals& greater = control.bytes > data.bytes ? *control_->arrivals : *data_->arrivals;
    if (greater.shut_most_backlog()) ++shut;
  }
  if (shut > 0)
    note(fmt::format("closed {} connection{} that sent more than is taken from one, or a message without end",
                     shut, shut == 1 ? "" : "s"));
}

void Server::end_silence(SteadyTime now) {
  const auto has_spoken = [this](int fd) { return peers_.has(Socket::control, fd); };
  if (const std::size_t shut = control_->arrivals->shut_silent(now - silence_, has_spoken); shut > 0)
    note(fmt::format("closed {} connection{} that said nothing for {} s", shut, shut == 1 ? "" : "s",
                     std::chrono::floor<std::chrono::seconds>(silence_).count()));
}

void Server::sweep() {
  const auto now = std::chrono::steady_clock::now();
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  end_silence(now);
  for (const Peer* peer : peers_.sweep(now)) {
    gone_.push_back(peer->id);
    if (tapped())
      tap_->push(describe_connection(route(*peer, Direction::none), "disconnected", name_of(peer->socket)));
  }
}

/// Splits [routing id][up to 3 frames, the last empty][head][body]; false after kicking the peer.
bool Server::take_envelope(Peer& peer, Multipart& message, wire::Frames& into) {
  std::vector<std::string> envelope;
  std::size_t at = 1;
  while (at < message.count && at <= kEnvelopeFrames && message.frames[at].size() <= kEnvelopeFrameBytes) {
    envelope.emplace_back(view_of(message.frames[at++]));
    if (envelope.back().empty()) break;
  }
  const bool delimited = !envelope.empty() && envelope.back().empty();
  const std::size_t rest = message.count - at;
  if (message.too_many() || !delimited || rest < 1 || rest > 2) {
    drop(peer, "kicked",
         fmt::format("a control message of {} frames that is not delimiter, head and body",
                     message.count - 1));
    return false;
  }
  into.head = to_buffer(std::move(message.frames[at]));
  if (rest == 2) into.body = to_buffer(std::move(message.frames[at + 1]));
  peer.envelope = std::move(envelope);
  return true;
}

Result<std::optional<ControlMessage>> Server::receive_control() {
  while (true) {
    SSYNC_TRY(const bool any, receive(control_->socket, message_));
    any ? control_->polled.used() : control_->polled.found_empty();
    if (!any) return std::nullopt;
    Peer* peer = sender_of(*control_, Socket::control, message_);
    ControlMessage out;
    if (peer == nullptr || !take_envelope(*peer, message_, out.frames)) continue;
    out.peer = peer->id;
    if (tapped()) tap_->push(describe_request(route(*peer, Direction::in), out.frames));
    return out;
  }
}

Result<std::optional<DataMessage>> Server::receive_data() {
  while (true) {
    SSYNC_TRY(const bool any, receive(data_->socket, message_));
    any ? data_->polled.used() : data_->polled.found_empty();
    if (!any) return std::nullopt;
    Peer* peer = sender_of(*data_, Socket::data, message_);
    if (peer == nullptr) continue;
    if (message_.count != 3) {
      drop(*peer, "kicked", fmt::format("a data message of {} frames, not 2", message_.count - 1));
      continue;
    }
    DataMessage out{peer->id, to_buffer(std::move(message_.frames[1])),
                    to_buffer(std::move(message_.frames[2]))};
    if (tapped()) tap_->push(describe_data(route(*peer, Direction::in), out.head, out.payload.size()));
    return out;
  }
}

Result<Peer*> Server::receiver(PeerId id, Socket socket) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr || peer->closed || peer->socket != socket)
    return fail(Errc::closed, "the connection is closed");
  return peer;
}

Result<void> Server::deliver(Peer& peer, Listener& listener, std::span<zmq::message_t> frames) {
  listener.polled.used();
  SSYNC_TRY(const Sent sent, send(listener.socket, frames));
  if (sent == Sent::yes) return {};
  if (sent == Sent::full) {
    drop(peer, "kicked", "it does not read what is sent to it");
    return fail(Errc::closed, peer.connection.address() + " does not read what is sent to it");
  }
  Peers::close(peer, std::chrono::steady_clock::now());
  if (tapped())
    tap_->push(describe_connection(route(peer, Direction::none), "disconnected", name_of(peer.socket)));
  return fail(Errc::closed, peer.connection.address() + " has closed the connection");
}

Result<void> Server::send_control(PeerId id, wire::Frames frames) {
  SSYNC_TRY(Peer* const peer, receiver(id, Socket::control));
  std::array<zmq::message_t, 1 + kEnvelopeFrames + 2> out;
  std::size_t count = 0;
  out[count++] = to_message(peer->routing_id);
  for (const std::string& frame : peer->envelope)
    out[count++] = to_message(frame);
  out[count++] = to_message(frames.head);
  out[count++] = to_message(frames.body);
  SSYNC_TRY_VOID(deliver(*peer, *control_, std::span(out).first(count)));
  if (tapped()) tap_->push(describe_reply(route(*peer, Direction::out), frames));
  return {};
}

Result<void> Server::send_data(PeerId id, Buffer head, Buffer payload) {
  SSYNC_TRY(Peer* const peer, receiver(id, Socket::data));
  std::array<zmq::message_t, 3> out{to_message(peer->routing_id), to_message(head), to_message(payload)};
  SSYNC_TRY_VOID(deliver(*peer, *data_, out));
  if (tapped()) tap_->push(describe_data(route(*peer, Direction::out), head, payload.size()));
  return {};
}

void Server::kick(PeerId id) {
  Peer* const peer = peers_.find(id);
  if (peer == nullptr || peer->closed) return;
  peer->connection.shut();
  Peers::close(*peer, std::chrono::steady_clock::now());
  if (tapped())
    tap_->push(describe_connection(route(*peer, Direction::none), "kicked", name_of(peer->socket)));
}

void Server::label(PeerId id, Label label) {
  if (Peer* const peer = peers_.find(id)) peer->label = std::move(label);
}

void Server::unlabel(PeerId id, std::uint64_t session) {
  Peer* const peer = peers_.find(id);
  if (peer != nullptr && peer->label && peer->label->session == session) peer->label->session = 0;
}

std::optional<Identity> Server::identity_of(PeerId id) const {
  const Peer* const peer = peers_.find(id);
  return peer == nullptr || peer->closed ? std::nullopt : std::optional(peer->identity);
}

std::vector<std::string> Server::take_notices() {
  std::vector<std::string> out = std::exchange(notices_, {});
  std::ranges::move(admission_.take_notices(), std::back_inserter(out));
  return out;
}

std::string Server::address_of(PeerId id) const {
  const Peer* const peer = peers_.find(id);
  return peer == nullptr ? "?" : peer->connection.address();
}

// ---- binding
// --------------------------------------------------------------------------------------------------------

/// Zero, or the errno of zmq_bind.
int try_bind(zmq::socket_t& socket, const SocketAddress& address) noexcept {
  return zmq_bind(socket.handle(), endpoint_of(address).c_str()) == 0 ? 0 : errno;
}

Error bind_failure(int err, const std::string& address, std::uint16_t port) {
  switch (err) {
    case EADDRINUSE:
      return Error{Errc::busy, fmt::format("port {} on {} is in use by another program", port, address), 0};
    case EADDRNOTAVAIL:
    case ENODEV:
      return Error{Errc::invalid_argument,
                   fmt::format("cannot listen on {}: not an address of this machine", address), 0};
    case EACCES:
    case EPERM:
      return errno_error(fmt::format("listen on port {} of {}", port, address), err);
    default:
      return zmq_failure(fmt::format("listen on port {} of {}", port, address), err);
  }
}

Result<std::unique_ptr<Listener>> make_listener(Context::Impl& context, Channel channel, Ipv6 ipv6,
                                                const Security& security) {
  auto listener = std::make_unique<Listener>();
  SSYNC_TRY(listener->socket, make_router(context, channel, ipv6, security));
  SSYNC_TRY(auto arrivals,
            Arrivals::attach(context, listener->socket, handshake_bytes(security.kind, "ROUTER")));
  listener->arrivals.emplace(std::move(arrivals));
  return listener;
}

/// Binds to `port`, or to a free one other than `taken` when it is 0. Returns the port.
Result<std::uint16_t> bind_port(zmq::socket_t& socket, const SocketAddress& address, std::uint16_t port,
                                std::uint16_t taken) {
  if (port != 0) {
    const int err = try_bind(socket, with_port(address, port));
    if (err != 0) return fail(bind_failure(err, host_of(address), port));
    return port;
  }
  constexpr int kTries = 64;
  PortPicker picker;
  for (int i = 0; i < kTries; ++i) {
    const std::uint16_t picked = picker.next();
    if (picked == taken) continue;
    const int err = try_bind(socket, with_port(address, picked));
    if (err == 0) return picked;
    if (err != EADDRINUSE) return fail(bind_failure(err, host_of(address), picked));
  }
  return fail(Errc::busy, fmt::format("found no free port on {} in {} tries", host_of(address), kTries));
}

/// All addresses of all texts, each once.
Result<std::vector<SocketAddress>> addresses_of(const std::vector<std::string>& texts) {
  std::vector<SocketAddress> out;
  for (const std::string& text : texts) {
    SSYNC_TRY(const auto found, bind_addresses(text, 0));
    for (const SocketAddress& one : found) {
      const auto same = [&](const SocketAddress& other) { return text_of(other) == text_of(one); };
      if (std::ranges::none_of(out, same)) out.push_back(one);
    }
  }
  if (out.empty()) return fail(Errc::invalid_argument, "there is no address to listen on");
  return out;
}

}  // namespace

Result<std::unique_ptr<ServerTransport>> ServerTransport::bind(Context& context, Admission& admission,
                                                               const Options& options, Tap* tap) {
  if (options.control_port != 0 && options.control_port == options.data_port) {
    return fail(Errc::invalid_argument,
                fmt::format("control and data cannot both use port {}", options.data_port));
  }
  Bound bound;
  SSYNC_TRY(bound.addresses, addresses_of(options.addresses));
  bound.protection =
      options.insecure ? Protection::none : protection_for(bound.addresses, options.require_keys);
  std::shared_ptr<const KeyPair> own;
  if (bound.protection == Protection::keys) {
    SSYNC_TRY(own, options.own_key());
  }
  const Security security{kind_of(bound.protection), nullptr, own.get(), nullptr};
  const bool any_ipv6 =
      std::ranges::any_of(bound.addresses, [](const SocketAddress& one) { return one.family() == AF_INET6; });
  const Ipv6 ipv6 = any_ipv6 ? Ipv6::on : Ipv6::off;
  SSYNC_TRY(bound.control, make_listener(context.impl(), Channel::control, ipv6, security));
  SSYNC_TRY(bound.data, make_listener(context.impl(), Channel::data, ipv6, security));
  const LocalAccess access =
      admit_local(admission, Admission::Door::sync, bound.protection, options.require_keys, own.get());
  std::uint16_t control_port = options.control_port;
  bound.data_port = options.data_port;
  for (SocketAddress& address : bound.addresses) {
    SSYNC_TRY(control_port, bind_port(bound.control->socket, address, control_port, bound.data_port));
    address = with_port(address, control_port);
  }
  SSYNC_TRY(bound.access_files, write_access_files(access, bound.addresses, bound.notices));
  for (const SocketAddress& address : bound.addresses) {
    SSYNC_TRY(bound.data_port, bind_port(bound.data->socket, address, bound.data_port, control_port));
  }
  return std::make_unique<Server>(admission, std::move(bound), options, tap);
}

}  // namespace ssync::net
