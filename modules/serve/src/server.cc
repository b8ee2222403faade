#include "ssync/serve/server.h"

#include <sys/stat.h>

#include <utility>

#include <fmt/format.h>

#include "ssync/base/event_fd.h"
#include "ssync/base/text.h"
#include "ssync/monitor/tap.h"
#include "ssync/net/transport.h"

#include "loop.h"
#include "room.h"

namespace ssync::serve {
namespace {

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace

Result<void> check_address(const Options& options) {
  if (is_loopback(options.address) || options.insecure) return {};
  return fail(Errc::permission,
              fmt::format("{} is reachable from other machines, and anybody who reaches it could overwrite "
                          "{}: say --insecure to listen there all the same",
                          escape(options.address), escape(options.mirror.directory)));
}

struct Server::Impl {
  Impl(Options with, std::unique_ptr<mirror::Mirror> mirror, EventFd to_wake, Observer& told)
      : options(std::move(with)), observer(told), wake(std::move(to_wake)), room(std::move(mirror)) {}

  [[nodiscard]] Result<void> start_tap();

  const Options options;
  Observer& observer;
  EventFd wake;
  Room room;
  net::Context context;
  monitor::TapRing ring;
  std::unique_ptr<net::ServerTransport> transport;
  std::unique_ptr<monitor::TapPublisher> publisher;
  std::unique_ptr<Loop> loop;
};

Result<void> Server::Impl::start_tap() {
  const std::string endpoint =
      options.tap_endpoint.value_or(monitor::default_endpoint(transport->control_port()));
  auto started = monitor::TapPublisher::start(context, ring, endpoint);
  if (started) {
    publisher = std::move(*started);
    return {};
  }
  if (options.tap_endpoint) return tl::unexpected(std::move(started).error());
  observer.warning(fmt::format("no tap for monitor-sync: {}", started.error().text()));
  return {};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(Options options, Observer& observer) {
  SSYNC_TRY_VOID(check_address(options));
  ::umask(0);
  SSYNC_TRY(std::unique_ptr<mirror::Mirror> mirror,
            mirror::Mirror::open(options.mirror, observer.of_mirror({})));
  SSYNC_TRY(EventFd wake, EventFd::create());
  return std::unique_ptr<Server>(
      new Server(std::make_unique<Impl>(std::move(options), std::move(mirror), std::move(wake), observer)));
}

Result<void> Server::listen() {
  const Options& options = impl_->options;
  net::ServerTransport::Options bind;
  bind.address = options.address;
  bind.control_port = options.control_port;
  bind.data_port = options.data_port;
  SSYNC_TRY(impl_->transport,
            net::ServerTransport::bind(impl_->context, bind, options.has_tap ? &impl_->ring : nullptr));
  if (options.has_tap) SSYNC_TRY_VOID(impl_->start_tap());
  if (!is_loopback(options.address)) {
    impl_->observer.warning(
        fmt::format("listening on {} without authentication: anybody who reaches it can overwrite {}",
                    options.address, escape(options.mirror.directory)));
  }
  impl_->loop = std::make_unique<Loop>(options, impl_->room, *impl_->transport, impl_->wake, impl_->observer);
  return {};
}

std::uint16_t Server::control_port() const noexcept {
  return impl_->transport->control_port();
}

std::uint16_t Server::data_port() const noexcept {
  return impl_->transport->data_port();
}

const std::string& Server::directory() const noexcept {
  return impl_->room.mirror->directory();
}

Result<void> Server::run(const Watched& watched) {
  return impl_->loop->run(watched);
}

void Server::stop() noexcept {
  impl_->loop->stop();
}

}  // namespace ssync::serve
