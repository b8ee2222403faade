#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ssync/net/private_file.h"
#include "ssync/net/transport.h"

#include "arrivals.h"
#include "backlog.h"
#include "endpoint.h"
#include "frames.h"
#include "local_access.h"
#include "options.h"
#include "protection.h"

namespace ssync::net {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTopicsMax = 1024;

/// What libzmq is to bind.
std::vector<std::string> texts_of(const TapEndpoint& endpoint) {
  if (!endpoint.is_tcp()) return {"ipc://" + endpoint.path};
  std::vector<std::string> out;
  for (const SocketAddress& address : endpoint.addresses)
    out.push_back(endpoint_of(address));
  return out;
}

/// The tap's socket and what belongs to it, as bound once.
struct TapListener {
  zmq::socket_t socket;
  std::optional<Arrivals> arrivals;  ///< of tcp; destroyed before the socket it watches
};

class XpubPublisher final : public TapSocket {
 public:
  XpubPublisher(Context& context, Admission& admission, Options options, TapEndpoint endpoint)
      : context_(context),
        admission_(admission),
        options_(std::move(options)),
        endpoint_(std::move(endpoint)) {}
  ~XpubPublisher() override;
  [[nodiscard]] Result<void> start();

  [[nodiscard]] Result<bool> wait(milliseconds timeout, int fd) override;
  [[nodiscard]] Result<void> publish(std::string_view topic, Buffer record) override;

 private:
  [[nodiscard]] Result<void> listen();
  [[nodiscard]] Result<void> let_in();
  [[nodiscard]] Result<void> listen_anew();
  [[nodiscard]] Result<void> follow_subscriptions();
  [[nodiscard]] Result<void> follow_arrivals();

  Context& context_;
  Admission& admission_;
  const Options options_;
  const TapEndpoint endpoint_;
  ServerTransport::Protection protection_ = ServerTransport::Protection::none;
  std::shared_ptr<const KeyPair> own_;  ///< with keys
  PathLock lock_;                       ///< of ipc
  std::vector<AccessFile> access_files_;
  std::unique_ptr<TapListener> listener_;  ///< null: to be bound anew
  BacklogTimer backlogs_;
  std::set<std::string> topics_;  ///< with subscribers
  Multipart message_;
};

/// libzmq leaves the path behind. It is removed while the lock still holds, so that it cannot be the next
/// publisher's.
XpubPublisher::~XpubPublisher() {
  listener_.reset();
  if (!endpoint_.is_tcp()) ::unlink(endpoint_.path.c_str());
}

Result<void> XpubPublisher::start() {
  if (endpoint_.is_tcp()) {
    protection_ = protection_for(endpoint_.addresses, options_.require_keys);
  } else {
    SSYNC_TRY_VOID(make_private_directory(endpoint_.directory, "the tap's socket"));
    SSYNC_TRY(lock_, PathLock::take(endpoint_.path));
  }
  if (protection_ == ServerTransport::Protection::keys) {
    if (!options_.own_key) return fail(Errc::invalid_argument, "the tap needs a key");
    SSYNC_TRY(own_, options_.own_key());
  }
  SSYNC_TRY_VOID(listen());
  return endpoint_.is_tcp() ? let_in() : Result<void>();
}

Result<void> XpubPublisher::listen() {
  const Security security{kind_of(protection_), nullptr, own_.get(), nullptr};
  const bool any_ipv6 = std::ranges::any_of(
      endpoint_.addresses, [](const SocketAddress& one) { return one.family() == AF_INET6; });
  const Ipv6 ipv6 = any_ipv6 ? Ipv6::on : Ipv6::off;
  auto listener = std::make_unique<TapListener>();
  SSYNC_TRY(listener->socket, make_xpub(context_.impl(), ipv6, security));
  if (endpoint_.is_tcp()) {
    SSYNC_TRY(auto arrivals,
              Arrivals::attach(context_.impl(), listener->socket, handshake_bytes(security.kind, "XPUB")));
    listener->arrivals.emplace(std::move(arrivals));
  }
  const std::vector<std::string> texts = texts_of(endpoint_);
  for (const std::string& text : texts) {
    if (zmq_bind(listener->socket.handle(), text.c_str()) == 0) continue;
    const int err = errno;
    if (err == EADDRINUSE) return fail(Errc::busy, text + " is in use by another program");
    return fail(zmq_failure("publish the tap at " + text, err));
  }
  listener_ = std::move(listener);
  return {};
}

/// From now on; and tells those of this user how.
Result<void> XpubPublisher::let_in() {
  const LocalAccess access =
      admit_local(admission_, Admission::Door::tap, protection_, options_.require_keys, own_.get());
  std::vector<std::string> notices;  // who is on this machine has ipc
  SSYNC_TRY(access_files_, write_access_files(access, endpoint_.addresses, notices));
  return {};
}

/// Breaks all connections: whoever still may comes back by itself. libzmq gives up an address only a little
/// after its socket, so this is tried until it works. Errors: Errc::closed, the context ends.
Result<void> XpubPublisher::listen_anew() {
  if (listener_) {
    listener_.reset();
    topics_.clear();
  }
  const Result<void> bound = listen();
  if (!bound && bound.error().code == Errc::closed) return fail(bound.error());
  return {};
}

Result<bool> XpubPublisher::wait(milliseconds timeout, int fd) {
  constexpr milliseconds kTryAgain{20};
  if (!listener_ || admission_.has_lost_monitors()) SSYNC_TRY_VOID(listen_anew());
  std::vector<zmq_pollitem_t> items{{nullptr, fd, ZMQ_POLLIN, 0}};
  if (listener_) items.push_back({listener_->socket.handle(), 0, ZMQ_POLLIN, 0});
  if (listener_ && listener_->arrivals) items.push_back(listener_->arrivals->item());
  const auto now = std::chrono::steady_clock::now();
  auto deadline = now + (listener_ ? timeout : std::min(timeout, kTryAgain));
  if (listener_ && listener_->arrivals) deadline = std::min(deadline, backlogs_.next());
  SSYNC_TRY_VOID(poll(items, deadline));
  if (!listener_) return false;
  SSYNC_TRY_VOID(follow_arrivals());
  SSYNC_TRY_VOID(follow_subscriptions());
  return !topics_.empty();
}

Result<void> XpubPublisher::follow_arrivals() {
  if (!listener_->arrivals) return {};
  Arrivals& arrivals = *listener_->arrivals;
  const auto now = std::chrono::steady_clock::now();
  SSYNC_TRY_VOID(arrivals.drain(now));
  const std::array<Arrivals*, 1> all{&arrivals};
  keep_below(all, options_.connections_max);
  // Who listens says little.
  constexpr std::uint64_t kSaysMax = 1024 * 1024;
  const BacklogTimer::Look look = backlogs_.due(now);
  if (look != BacklogTimer::Look::none)
    backlogs_.found_much(arrivals.look_at_backlogs(look, kSaysMax).any_much);
  return {};
}

/// The XPUB tells, by a first byte of 1, that a topic has its first subscriber, and by 0 that the last has
/// gone, or was lost. (Counting the subscribers is not possible: one that reconnects subscribes twice and is
/// lost once.)
Result<void> XpubPublisher::follow_subscriptions() {
  while (true) {
    SSYNC_TRY(const bool any, receive(listener_->socket, message_));
    if (!any) return {};
    const std::string_view text = view_of(message_.frames[0]);
    if (text.empty()) continue;
    const std::string topic(text.substr(1));
    if (text.front() == '\1' && topics_.size() < kTopicsMax) topics_.insert(topic);
    if (text.front() == '\0') topics_.erase(topic);
  }
}

Result<void> XpubPublisher::publish(std::string_view topic, Buffer record) {
  if (!listener_) return {};
  std::array<zmq::message_t, 2> out{to_message(topic), to_message(record)};
  SSYNC_TRY_VOID(send(listener_->socket, out));
  return {};
}

}  // namespace

Result<std::unique_ptr<TapSocket>> TapSocket::bind(Context& context, Admission& admission,
                                                   const Options& options) {
  SSYNC_TRY(TapEndpoint endpoint, parse_tap_endpoint(options.endpoint, true));
  auto publisher = std::make_unique<XpubPublisher>(context, admission, options, std::move(endpoint));
  SSYNC_TRY_VOID(publisher->start());
  return publisher;
}

}  // namespace ssync::net
