// The two transports of a client and a server, connected in memory. Messages are encoded and decoded as on a
// network; they come in order and at once.
#pragma once

#include <deque>
#include <memory>

#include "ssync/base/event_fd.h"
#include "ssync/base/mutex.h"
#include "ssync/net/transport.h"

namespace ssync::pipeline_test {

/// One direction, both sockets.
struct Lane {
  explicit Lane(EventFd event) : arrived(std::move(event)) {}
  EventFd arrived;
  Mutex mutex;
  std::deque<wire::Frames> control SSYNC_GUARDED_BY(mutex);
  std::deque<net::DataMessage> data SSYNC_GUARDED_BY(mutex);
  bool closed SSYNC_GUARDED_BY(mutex) = false;
};

/// What both ends share.
struct Link {
  Link();
  Lane to_server, to_client;
};

[[nodiscard]] std::unique_ptr<net::ServerTransport> server_end(std::shared_ptr<Link> link);
[[nodiscard]] std::unique_ptr<net::ClientTransport> client_end(std::shared_ptr<Link> link);

}  // namespace ssync::pipeline_test
