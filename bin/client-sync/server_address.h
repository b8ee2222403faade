// How people write where a mirror is: HOST[:PORT][::NAME].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ssync/base/result.h"

namespace ssync::client_program {

struct ServerAddress {
  std::string host;                           ///< without brackets; empty: none was written
  std::optional<std::uint16_t> control_port;  ///< from 1
  std::string mirror;                         ///< empty: none was written

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

/// HOST, HOST:PORT, HOST::NAME, HOST:PORT::NAME, ::NAME; a numeric IPv6 host is in brackets,
/// [::1]:7101::home. Errors: Errc::invalid_argument, with what to write instead: for paths, for what rsync or
/// Windows would take, and for what can be read in two ways.
[[nodiscard]] Result<ServerAddress> parse_server_address(std::string_view text);

/// For --server: a host alone. IPv6 as it is or in brackets, which are taken off. The same errors.
[[nodiscard]] Result<std::string> parse_host(std::string_view text);

}  // namespace ssync::client_program
