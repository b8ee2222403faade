// Sockets: the only user of ZeroMQ. A server has two ROUTERs, a client two DEALERs (control and data); this
// module owns their options, envelopes, peers and the checks that libzmq needs around it (proto-spec/01,
// proto-spec/09).
//
// Thread safety: a transport belongs to one thread, which creates, uses and destroys it. Others reach that
// thread through a queue and an EventFd that it passes to wait(). Nothing here blocks but wait().
// zmq::error_t never leaves the module.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"
#include "ssync/net/admission.h"
#include "ssync/net/keys.h"
#include "ssync/net/own_key.h"
#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/tap.h"

namespace ssync::net {

/// A connection, as numbered by this transport from 1; never reused.
using PeerId = std::uint64_t;

/// Where records of all messages go. Implemented by monitor::TapRing. push() never blocks and may drop.
class Tap {
 public:
  virtual ~Tap() = default;
  /// False while nobody listens: then nothing is described at all.
  [[nodiscard]] virtual bool active() const noexcept = 0;
  virtual void push(wire::TapRecord record) noexcept = 0;
};

/// The one ZeroMQ context of the process. Create after signals are blocked and before any transport; destroy
/// last. Seeds libzmq's routing ids.
class Context {
 public:
  explicit Context(int io_threads = 2);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  struct Impl;
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// What wait() saw. Several may hold.
struct Ready {
  bool control = false;
  bool data = false;
  bool disconnected = false;  ///< client: the connection of either socket broke or could not be made, for
                              ///< good; see disconnect_reason()
  bool data_room = false;     ///< client: the last send_data() gave false, and there is room again
  std::vector<bool> fds;      ///< one for each extra descriptor: readable
};

struct ControlMessage {
  PeerId peer = 0;
  wire::Frames frames;
};
struct DataMessage {
  PeerId peer = 0;
  Buffer head;
  Buffer payload;
};

/// Whose a connection is, for the tap.
struct Label {
  std::string mirror;         ///< the name that was asked for; empty: the mirror without a name
  std::uint64_t session = 0;  ///< the server's own number of the sync; 0: none
  friend bool operator==(const Label&, const Label&) = default;
};

class ServerTransport {
 public:
  struct Options {
    /// Each numeric (IPv4, or IPv6 with or without brackets), a name, "localhost", or "*" for all of IPv4.
    std::vector<std::string> addresses{"localhost"};
    std::uint16_t control_port = wire::kControlPort;  ///< 0: any free one below the ephemeral range
    std::uint16_t data_port = wire::kDataPort;
    /// With an address beyond loopback, or require_keys, all connections are encrypted (CURVE) and shown a
    /// key. Else a client shows the secret that the server leaves for programs of its user
    /// (proto-spec/09 §3.4).
    OwnKey own_key;
    bool require_keys = false;  ///< on loopback too
    bool insecure = false;      ///< no keys and no secret: whoever reaches the ports is let in
    /// Connections at a time, of both sockets, whatever they are in. Over them those that are in their
    /// handshake for the longest time are broken, so that who really wants something gets through.
    std::size_t connections_max = 4096;
    /// How long a connection to the control port may say nothing.
    std::chrono::milliseconds silence = std::chrono::seconds(10);
  };
  enum class Protection : std::uint8_t { none, secret, keys };

  /// `admission` is of the same context and outlives it. Resolves names: may block. Errors: Errc::busy
  /// "port 7101 is in use …", Errc::invalid_argument for an address, Errc::permission, those of own_key.
  [[nodiscard]] static Result<std::unique_ptr<ServerTransport>> bind(Context& context, Admission& admission,
                                                                     const Options& options, Tap* tap);
  virtual ~ServerTransport() = default;
  [[nodiscard]] virtual std::uint16_t control_port() const noexcept = 0;
  [[nodiscard]] virtual std::uint16_t data_port() const noexcept = 0;
  [[nodiscard]] virtual Protection protection() const noexcept = 0;
  /// "127.0.0.1:7101": each address with the control port.
  [[nodiscard]] virtual std::vector<std::string> listening() const = 0;
  /// Until something is ready or `timeout` passed. `fds` are polled for reading besides the sockets.
  /// `want_data` false leaves the data socket unread (backpressure).
  [[nodiscard]] virtual Result<Ready> wait(std::chrono::milliseconds timeout, std::span<const int> fds,
                                           bool want_data) = 0;
  /// The next message; empty when none is there. Malformed envelopes, too many frames and refused peers are
  /// dealt with inside (kicked, told to the tap).
  [[nodiscard]] virtual Result<std::optional<ControlMessage>> receive_control() = 0;
  [[nodiscard]] virtual Result<std::optional<DataMessage>> receive_data() = 0;
  /// Errc::closed when the peer is gone or does not take its messages: the session is over.
  [[nodiscard]] virtual Result<void> send_control(PeerId peer, wire::Frames frames) = 0;
  [[nodiscard]] virtual Result<void> send_data(PeerId peer, Buffer head, Buffer payload) = 0;
  /// Breaks the connection. Later sends give Errc::closed.
  virtual void kick(PeerId peer) = 0;
  /// As its handshake proved it. nullopt: the peer is gone.
  [[nodiscard]] virtual std::optional<Identity> identity_of(PeerId peer) const = 0;
  /// Those that have sent something and are not closed.
  [[nodiscard]] virtual std::vector<PeerId> open_peers() const = 0;
  /// Those whose connection was found to be gone since the last call: within a quarter of a second in wait().
  [[nodiscard]] virtual std::vector<PeerId> take_gone() = 0;
  /// Tap records of this peer carry the label from now on, in both directions, until it has another one; a
  /// transport cannot tell by itself. Nothing when the peer is not known any more.
  virtual void label(PeerId peer, Label label) = 0;
  /// The session is over: the peer's label keeps the mirror only. Nothing when the label has another session
  /// by now.
  virtual void unlabel(PeerId peer, std::uint64_t session) = 0;
  enum class Socket : std::uint8_t { control, data };
  /// "127.0.0.1:40312", or "?" when it is not known any more.
  [[nodiscard]] virtual std::string address_of(PeerId peer) const = 0;
  /// Sentences for the log since the last call: peers refused or kicked in here, and why. At most 64 are
  /// kept.
  [[nodiscard]] virtual std::vector<std::string> take_notices() { return {}; }
};

class ClientTransport {
 public:
  struct Options {
    std::string host = "localhost";
    std::uint16_t control_port = wire::kControlPort;
    std::uint16_t data_port = wire::kDataPort;
    bool control_only = false;  ///< no data connection: to ask, not to sync
    /// The server must prove to have this key. Absent: only a server of this user (or root's) on this
    /// machine is talked to, and shown what it left for that.
    std::optional<PublicKey> server_key;
    OwnKey own_key;         ///< what this client shows to a server with keys
    bool insecure = false;  ///< talk to a server that shows no key, and to one on another machine
  };
  /// Resolves the host and starts to connect; both sockets must be connected within the caller's own time
  /// limit. Errc::not_found: no such host. Errc::refused: it is on another machine, and its key is not known.
  [[nodiscard]] static Result<std::unique_ptr<ClientTransport>> connect(Context& context,
                                                                        const Options& options, Tap* tap);
  virtual ~ClientTransport() = default;
  /// Both sockets have finished their handshake. Becomes true inside wait().
  [[nodiscard]] virtual bool connected() const noexcept = 0;
  [[nodiscard]] virtual std::string disconnect_reason() const = 0;
  /// It is lost because one end does not speak with the other one's user, or key: trying again changes
  /// nothing.
  [[nodiscard]] virtual bool is_refused() const noexcept = 0;
  [[nodiscard]] virtual Result<Ready> wait(std::chrono::milliseconds timeout, std::span<const int> fds) = 0;
  [[nodiscard]] virtual Result<std::optional<wire::Frames>> receive_control() = 0;
  [[nodiscard]] virtual Result<std::optional<DataMessage>> receive_data() = 0;
  [[nodiscard]] virtual Result<void> send_control(wire::Frames frames) = 0;
  /// Takes the buffers without a copy. False, and nothing taken, when libzmq's queue is full just now:
  /// Ready::data_room tells when it is not.
  [[nodiscard]] virtual Result<bool> send_data(Buffer& head, Buffer& payload) = 0;
};

/// PUB side of the tap; lives in the publisher's thread.
class TapSocket {
 public:
  struct Options {
    /// "ipc:///path" (directory made 0700, a lock file beside it), or "tcp://ADDRESS:PORT" with an address as
    /// ServerTransport::Options has them.
    std::string endpoint;
    /// With an address beyond loopback, or require_keys, connections are encrypted and shown a key that may
    /// monitor. Else a subscriber shows the secret that the tap leaves for programs of its user.
    OwnKey own_key;
    bool require_keys = false;
    std::size_t connections_max = 64;  ///< of tcp, as ServerTransport::Options::connections_max
  };
  /// `admission` is of the same context and outlives it. Resolves names: may block. Errors: Errc::busy when
  /// another process publishes there; those of own_key.
  [[nodiscard]] static Result<std::unique_ptr<TapSocket>> bind(Context& context, Admission& admission,
                                                               const Options& options);
  virtual ~TapSocket() = default;
  /// Waits for subscriptions to change or `fd` to become readable; returns whether anybody listens. When a
  /// subscriber's key has lost its right, all have to connect anew.
  [[nodiscard]] virtual Result<bool> wait(std::chrono::milliseconds timeout, int fd) = 0;
  /// Never blocks; a subscriber that does not keep up loses messages.
  [[nodiscard]] virtual Result<void> publish(std::string_view topic, Buffer record) = 0;
};

class Subscriber {
 public:
  struct Options {
    std::string endpoint;     ///< as TapSocket's; a host's name too
    std::size_t attempt = 0;  ///< of a host with several addresses, which one (modulo their number)
    /// The key of this host's server, needed for another machine; asked for with tcp. May be empty.
    std::function<Result<std::optional<PublicKey>>(const std::string& host)> server_key;
    OwnKey own_key;
  };
  /// Resolves names: may block. Errors: Errc::refused, the tap is of another user, or on a machine whose key
  /// is not known.
  [[nodiscard]] static Result<std::unique_ptr<Subscriber>> connect(Context& context, const Options& options);
  virtual ~Subscriber() = default;
  /// The next record; empty after `timeout` or when one of `fds` became readable. Errors: Errc::refused, the
  /// server says no: trying again changes nothing.
  [[nodiscard]] virtual Result<std::optional<Buffer>> receive(std::chrono::milliseconds timeout,
                                                              std::span<const int> fds) = 0;
};

}  // namespace ssync::net
