#include "link.h"

#include <poll.h>

#include <utility>
#include <vector>

namespace ssync::pipeline_test {
namespace {

using std::chrono::milliseconds;

constexpr net::PeerId kControlPeer = 1, kDataPeer = 2;

/// Which of `fds` are readable, after the lane's own event or `timeout`.
std::vector<bool> wait_for(Lane& lane, milliseconds timeout, std::span<const int> fds) {
  std::vector<pollfd> items{{lane.arrived.fd(), POLLIN, 0}};
  for (const int fd : fds)
    items.push_back({fd, POLLIN, 0});
  (void)::poll(items.data(), items.size(), static_cast<int>(timeout.count()));
  if (items.front().revents != 0) lane.arrived.drain();
  std::vector<bool> readable;
  for (std::size_t i = 1; i < items.size(); ++i)
    readable.push_back(items[i].revents != 0);
  return readable;
}

net::Ready ready_of(Lane& lane, std::vector<bool> fds) {
  net::Ready ready;
  const MutexLock lock(lane.mutex);
  ready.control = !lane.control.empty();
  ready.data = !lane.data.empty();
  ready.disconnected = lane.closed && lane.control.empty();
  ready.fds = std::move(fds);
  return ready;
}

Result<void> put_control(Lane& lane, wire::Frames frames) {
  const MutexLock lock(lane.mutex);
  if (lane.closed) return fail(Errc::closed, "the other end is gone");
  lane.control.push_back(std::move(frames));
  lane.arrived.signal();
  return {};
}

Result<void> put_data(Lane& lane, Buffer head, Buffer payload) {
  const MutexLock lock(lane.mutex);
  if (lane.closed) return fail(Errc::closed, "the other end is gone");
  lane.data.push_back({kDataPeer, std::move(head), std::move(payload)});
  lane.arrived.signal();
  return {};
}

std::optional<wire::Frames> take_control(Lane& lane) {
  const MutexLock lock(lane.mutex);
  if (lane.control.empty()) return std::nullopt;
  wire::Frames frames = std::move(lane.control.front());
  lane.control.pop_front();
  return frames;
}

std::optional<net::DataMessage> take_data(Lane& lane) {
  const MutexLock lock(lane.mutex);
  if (lane.data.empty()) return std::nullopt;
  net::DataMessage message = std::move(lane.data.front());
  lane.data.pop_front();
  return message;
}

void close(Lane& lane) {
  const MutexLock lock(lane.mutex);
  lane.closed = true;
  lane.arrived.signal();
}

EventFd event() {
  return EventFd::create().value();
}

class ServerEnd final : public net::ServerTransport {
 public:
  explicit ServerEnd(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  ~ServerEnd() override { close(link_->to_client); }
  [[nodiscard]] std::uint16_t control_port() const noexcept override { return 0; }
  [[nodiscard]] std::uint16_t data_port() const noexcept override { return 0; }
  [[nodiscard]] Result<net::Ready> wait(milliseconds timeout, std::span<const int> fds,
                                        bool /*want_data*/) override {
    net::Ready ready = ready_of(link_->to_server, {});
    if (ready.control || ready.data) timeout = milliseconds(0);
    return ready_of(link_->to_server, wait_for(link_->to_server, timeout, fds));
  }
  [[nodiscard]] Result<std::optional<net::ControlMessage>> receive_control() override {
    std::optional<wire::Frames> frames = take_control(link_->to_server);
    if (!frames) return std::optional<net::ControlMessage>();
    return std::optional(net::ControlMessage{kControlPeer, std::move(*frames)});
  }
  [[nodiscard]] Result<std::optional<net::DataMessage>> receive_data() override {
    return take_data(link_->to_server);
  }
  [[nodiscard]] Result<void> send_control(net::PeerId /*peer*/, wire::Frames frames) override {
    return put_control(link_->to_client, std::move(frames));
  }
  [[nodiscard]] Result<void> send_data(net::PeerId /*peer*/, Buffer head, Buffer payload) override {
    return put_data(link_->to_client, std::move(head), std::move(payload));
  }
  void label(net::PeerId /*peer*/, net::Label /*label*/) override {}
  void unlabel(net::PeerId /*peer*/, std::uint64_t /*session*/) override {}
  void kick(net::PeerId /*peer*/) override { close(link_->to_client); }
  [[nodiscard]] std::string address_of(net::PeerId /*peer*/) const override { return "memory"; }
  [[nodiscard]] Protection protection() const noexcept override { return Protection::none; }
  [[nodiscard]] std::vector<std::string> listening() const override { return {}; }
  [[nodiscard]] std::optional<net::Identity> identity_of(net::PeerId /*peer*/) const override {
    return net::Identity{};
  }
  [[nodiscard]] std::vector<net::PeerId> open_peers() const override { return {}; }
  [[nodiscard]] std::vector<net::PeerId> take_gone() override { return {}; }

 private:
  std::shared_ptr<Link> link_;
};

class ClientEnd final : public net::ClientTransport {
 public:
  explicit ClientEnd(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  ~ClientEnd() override { close(link_->to_server); }
  [[nodiscard]] bool connected() const noexcept override { return true; }
  [[nodiscard]] std::string disconnect_reason() const override { return "the other end is gone"; }
  [[nodiscard]] bool is_refused() const noexcept override { return false; }
  [[nodiscard]] Result<net::Ready> wait(milliseconds timeout, std::span<const int> fds) override {
    net::Ready ready = ready_of(link_->to_client, {});
    if (ready.control || ready.data) timeout = milliseconds(0);
    return ready_of(link_->to_client, wait_for(link_->to_client, timeout, fds));
  }
  [[nodiscard]] Result<std::optional<wire::Frames>> receive_control() override {
    return take_control(link_->to_client);
  }
  [[nodiscard]] Result<std::optional<net::DataMessage>> receive_data() override {
    return take_data(link_->to_client);
  }
  [[nodiscard]] Result<void> send_control(wire::Frames frames) override {
    return put_control(link_->to_server, std::move(frames));
  }
  [[nodiscard]] Result<bool> send_data(Buffer& head, Buffer& payload) override {
    SSYNC_TRY_VOID(put_data(link_->to_server, std::move(head), std::move(payload)));
    return true;
  }

 private:
  std::shared_ptr<Link> link_;
};

}  // namespace

Link::Link() : to_server(event()), to_client(event()) {}

std::unique_ptr<net::ServerTransport> server_end(std::shared_ptr<Link> link) {
  return std::make_unique<ServerEnd>(std::move(link));
}

std::unique_ptr<net::ClientTransport> client_end(std::shared_ptr<Link> link) {
  link->to_client.arrived.signal();  // it is connected: the first wait() need not wait
  return std::make_unique<ClientEnd>(std::move(link));
}

}  // namespace ssync::pipeline_test
