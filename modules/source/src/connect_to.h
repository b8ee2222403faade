#pragma once

#include "ssync/net/transport.h"
#include "ssync/source/source.h"

namespace ssync::source {

/// Where the server of `options` is.
[[nodiscard]] inline net::ClientTransport::Options connect_to(const Options& options) {
  net::ClientTransport::Options connect;
  connect.host = options.server;
  connect.control_port = options.control_port;
  connect.data_port = options.data_port;
  return connect;
}

}  // namespace ssync::source
