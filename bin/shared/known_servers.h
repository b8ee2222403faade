// The servers whose keys this user knows: servers.toml in the keys directory.
//
//   ["mirror.example.org:7101"]
//   key = "64 hexadecimal digits"
//   data-port = 7100
//   name = "laptop"      # what that server calls this client
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ssync/base/result.h"
#include "ssync/net/keys.h"

#include "own_keys.h"

namespace ssync::programs {

struct KnownServer {
  net::PublicKey key;
  std::optional<std::uint16_t> data_port;
  std::string name;
};

/// nullopt: it is not known. Errors: the file cannot be read, or is damaged.
[[nodiscard]] Result<std::optional<KnownServer>> find_server(const std::string& keys_directory,
                                                             const std::string& host,
                                                             std::uint16_t control_port);

/// The same, in the directory of the options; where there is none, or it is not this user's, nothing is
/// known.
[[nodiscard]] Result<std::optional<KnownServer>> look_up_server(const KeyOptions& keys,
                                                                const std::string& host,
                                                                std::uint16_t control_port);

/// Adds it to the file. Errors: Errc::already_exists when another key is known for it, with what to do.
[[nodiscard]] Result<void> add_server(const std::string& keys_directory, const std::string& host,
                                      std::uint16_t control_port, const KnownServer& server);

}  // namespace ssync::programs
