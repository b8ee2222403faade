#pragma once

#include <cstdint>
#include <string>

namespace ssync::monitor {

/// Where the server with this control port publishes its tap: "ipc://…/monitor-7101.sock" in the first of
/// net::runtime_dirs(). Makes nothing.
[[nodiscard]] std::string default_endpoint(std::uint16_t control_port);

/// The same for who listens: a server may have been started where $XDG_RUNTIME_DIR was not set (cron, a
/// service), so this takes the place that has a socket; default_endpoint() when neither has.
[[nodiscard]] std::string find_endpoint(std::uint16_t control_port);

}  // namespace ssync::monitor
