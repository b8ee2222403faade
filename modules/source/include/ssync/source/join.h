// Becoming a client of a server that has invited.
#pragma once

#include <cstdint>
#include <string>

#include "ssync/base/exit_code.h"
#include "ssync/net/keys.h"
#include "ssync/source/source.h"

namespace ssync::source {

struct JoinedServer {
  std::string name;             ///< what the server calls this client
  std::uint16_t data_port = 0;  ///< of the server
  ExitCode code = ExitCode::ok;
  std::string text;  ///< why not
};

/// Shows the server of `options` the key `own`; its own_key is that of the invitation. Blocks, for
/// Options::connect at most.
[[nodiscard]] JoinedServer join(const Options& options, const net::PublicKey& own);

}  // namespace ssync::source
