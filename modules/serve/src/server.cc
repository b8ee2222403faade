#include "ssync/serve/server.h"

#include <sys/stat.h>

#include <utility>

#include <fmt/format.h>

#include "ssync/base/event_fd.h"
#include "ssync/base/text.h"
#include "ssync/monitor/tap.h"
#include "ssync/net/admission.h"
#include "ssync/net/transport.h"

#include "loop.h"

namespace ssync::serve {
namespace {

/// "/srv/a", or "its 3 mirrors".
std::string text_of(const std::vector<MirrorOptions>& mirrors) {
  return mirrors.size() == 1 ? escape(mirrors.front().mirror.directory)
                             : fmt::format("its {} mirrors", mirrors.size());
}

}  // namespace

struct Server::Impl {
  Impl(Options with, EventFd to_wake, Observer& told)
      : options(std::move(with)), observer(told), wake(std::move(to_wake)) {}

  [[nodiscard]] Result<std::unique_ptr<mirror::Mirror>> open_mirror(const MirrorOptions& one) const {
    return mirror::Mirror::open(one.mirror, observer.of_mirror(one.name));
  }
  [[nodiscard]] Result<void> start_tap();

  const Options options;
  Observer& observer;
  EventFd wake;
  std::vector<std::unique_ptr<mirror::Mirror>> mirrors;  ///< in the order of the options; then the loop's
  std::vector<std::string> directories;
  net::Context context;
  std::unique_ptr<net::Admission> admission;  ///< outlives the transport
  monitor::TapRing ring;
  std::unique_ptr<net::ServerTransport> transport;
  std::unique_ptr<monitor::TapPublisher> publisher;
  std::unique_ptr<Loop> loop;
};

Result<void> Server::Impl::start_tap() {
  net::TapSocket::Options tap;
  tap.endpoint = options.tap_endpoint.value_or(monitor::default_endpoint(transport->control_port()));
  tap.own_key = options.own_key;
  tap.require_keys = options.require_keys;
  auto started = monitor::TapPublisher::start(context, *admission, ring, tap);
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
  ::umask(0);
  SSYNC_TRY(EventFd wake, EventFd::create());
  auto impl = std::make_unique<Impl>(std::move(options), std::move(wake), observer);
  for (const MirrorOptions& one : impl->options.mirrors) {
    SSYNC_TRY(auto mirror, impl->open_mirror(one));
    impl->directories.push_back(mirror->directory());
    impl->mirrors.push_back(std::move(mirror));
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::vector<std::string>& Server::directories() const noexcept {
  return impl_->directories;
}

Result<void> Server::listen() {
  const Options& options = impl_->options;
  net::ServerTransport::Options bind;
  bind.addresses = options.addresses;
  bind.control_port = options.control_port;
  bind.data_port = options.data_port;
  bind.own_key = options.own_key;
  bind.require_keys = options.require_keys;
  bind.insecure = options.insecure;
  bind.connections_max = options.connections_max;
  SSYNC_TRY(impl_->admission, net::Admission::start(impl_->context));
  SSYNC_TRY(impl_->transport, net::ServerTransport::bind(impl_->context, *impl_->admission, bind,
                                                         options.has_tap ? &impl_->ring : nullptr));
  if (options.has_tap) SSYNC_TRY_VOID(impl_->start_tap());
  if (impl_->transport->protection() == net::ServerTransport::Protection::none) {
    impl_->observer.warning(
        fmt::format("listening on {} without keys: anybody who reaches it can overwrite {}",
                    fmt::join(impl_->transport->listening(), ", "), text_of(options.mirrors)));
  }
  session::server::Config config;
  config.program = options.program;
  config.syncs_max = options.syncs_max;
  impl_->loop = std::make_unique<Loop>(
      std::move(config), options.capacities,
      Loop::Parts{*impl_->transport, impl_->wake, impl_->observer, options.clients, options.client_keeper,
                  [impl = impl_.get()](const auto& keys) { impl->admission->set_keys(keys); },
                  [impl = impl_.get()](const MirrorOptions& one) { return impl->open_mirror(one); }});
  for (std::size_t i = 0; i < options.mirrors.size(); ++i)
    impl_->loop->add(options.mirrors[i], std::move(impl_->mirrors[i]));
  return {};
}

std::vector<std::string> Server::listening() const {
  return impl_->transport->listening();
}

bool Server::has_keys() const noexcept {
  return impl_->transport->protection() == net::ServerTransport::Protection::keys;
}

std::uint16_t Server::control_port() const noexcept {
  return impl_->transport->control_port();
}

std::uint16_t Server::data_port() const noexcept {
  return impl_->transport->data_port();
}

Result<void> Server::run(const Watched& watched) {
  return impl_->loop->run(watched);
}

void Server::set_mirrors(std::vector<MirrorOptions> mirrors) {
  impl_->loop->set_mirrors(std::move(mirrors));
}

void Server::set_clients(Clients clients) {
  impl_->loop->set_clients(std::move(clients));
}

void Server::stop() noexcept {
  impl_->loop->stop();
}

}  // namespace ssync::serve
