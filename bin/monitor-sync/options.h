#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ssync/net/keys.h"

#include "own_keys.h"

namespace ssync {

struct MonitorOptions {
  std::string endpoint;  ///< empty: of the server with this control port
  std::uint16_t control_port = 0;
  std::optional<net::PublicKey> server_key;  ///< absent: as servers.toml says
  programs::KeyOptions keys;
  bool json = false;
  int verbosity = 0;
  std::optional<std::string> mirror;     ///< only records of this mirror; empty: the one without a name
  std::optional<std::uint64_t> session;  ///< only records of this sync
  std::optional<std::uint64_t> count;    ///< end after so many messages
};

/// What the command line asks for, or the exit code when it is answered already (--help, --version, a
/// mistake).
[[nodiscard]] std::variant<MonitorOptions, int> parse_options(int argc, char** argv);

}  // namespace ssync
