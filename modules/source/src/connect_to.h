#pragma once

#include "ssync/net/transport.h"
#include "ssync/source/source.h"

namespace ssync::source {

/// Where the server of `options` is. `control_only`: to ask it something, not to sync.
[[nodiscard]] inline net::ClientTransport::Options connect_to(const Options& options,
                                                              bool control_only = false) {
  net::ClientTransport::Options connect;
  connect.host = options.server;
  connect.control_port = options.control_port;
  connect.data_port = options.data_port;
  connect.server_key = options.server_key;
  connect.own_key = options.own_key;
  connect.insecure = options.insecure;
  connect.control_only = control_only;
  return connect;
}

}  // namespace ssync::source
