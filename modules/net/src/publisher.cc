#include <unistd.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

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

constexpr std::size_t kTopicsMax = 1024;

class XpubPublisher final : public TapSocket {
 public:
  XpubPublisher(zmq::socket_t socket, TapEndpoint endpoint, PathLock lock,
                std::optional<AccessFile> access_file)
      : socket_(std::move(socket)),
        endpoint_(std::move(endpoint)),
        lock_(std::move(lock)),
        access_file_(std::move(access_file)) {}
  ~XpubPublisher() override;

  [[nodiscard]] Result<bool> wait(milliseconds timeout, int fd) override;
  [[nodiscard]] Result<void> publish(std::string_view topic, Buffer record) override;

 private:
  [[nodiscard]] Result<void> follow_subscriptions();

  zmq::socket_t socket_;
  const TapEndpoint endpoint_;
  const PathLock lock_;
  const std::optional<AccessFile> access_file_;  ///< of tcp
  std::set<std::string> topics_;                 ///< with subscribers
  Multipart message_;
};

/// libzmq leaves the path behind. It is removed while the lock still holds, so that it cannot be the next
/// publisher's.
XpubPublisher::~XpubPublisher() {
  socket_.close();
  if (!endpoint_.path.empty()) ::unlink(endpoint_.path.c_str());
}

Result<bool> XpubPublisher::wait(milliseconds timeout, int fd) {
  std::array<zmq_pollitem_t, 2> items{{{socket_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, fd, ZMQ_POLLIN, 0}}};
  SSYNC_TRY_VOID(poll(items, std::chrono::steady_clock::now() + timeout));
  SSYNC_TRY_VOID(follow_subscriptions());
  return !topics_.empty();
}

/// The XPUB tells, by a first byte of 1, that a topic has its first subscriber, and by 0 that the last has
/// gone, or was lost. (Counting the subscribers is not possible: one that reconnects subscribes twice and is
/// lost once.)
Result<void> XpubPublisher::follow_subscriptions() {
  while (true) {
    SSYNC_TRY(const bool any, receive(socket_, message_));
    if (!any) return {};
    const std::string_view text = view_of(message_.frames[0]);
    if (text.empty()) continue;
    const std::string topic(text.substr(1));
    if (text.front() == '\1' && topics_.size() < kTopicsMax) topics_.insert(topic);
    if (text.front() == '\0') topics_.erase(topic);
  }
}

Result<void> XpubPublisher::publish(std::string_view topic, Buffer record) {
  std::array<zmq::message_t, 2> out{to_message(topic), to_message(record)};
  SSYNC_TRY_VOID(send(socket_, out));
  return {};
}

}  // namespace

Result<std::unique_ptr<TapSocket>> TapSocket::bind(Context& context, Admission& admission,
                                                   const std::string& endpoint) {
  SSYNC_TRY(TapEndpoint parsed, parse_tap_endpoint(endpoint));
  const bool is_tcp = parsed.path.empty();
  PathLock lock;
  if (!is_tcp) {
    SSYNC_TRY_VOID(make_private_directory(parsed.directory, "the tap's socket"));
    SSYNC_TRY(lock, PathLock::take(parsed.path));
  }
  const Security security{is_tcp ? Security::Kind::secret : Security::Kind::none};
  SSYNC_TRY(auto socket, make_xpub(context.impl(), security));
  if (zmq_bind(socket.handle(), parsed.text.c_str()) != 0) {
    const int err = errno;
    if (err == EADDRINUSE) return fail(Errc::busy, parsed.text + " is in use by another program");
    return fail(zmq_failure("publish the tap at " + parsed.text, err));
  }
  std::optional<AccessFile> access_file;
  if (is_tcp) {
    LocalAccess access;
    access.kind = LocalAccess::Kind::secret;
    access.secret = Secret::random();
    SSYNC_TRY(access_file, AccessFile::write(parsed.address, access));
    admission.let_in_secret(std::move(access.secret));
  }
  return std::make_unique<XpubPublisher>(std::move(socket), std::move(parsed), std::move(lock),
                                         std::move(access_file));
}

}  // namespace ssync::net
