// --join: from the line of an invitation to a server that is known.
#pragma once

#include "ssync/net/own_key.h"

#include "options.h"

namespace ssync::client_program {

/// Joins, notes the server, and says what to type next; the exit code. Requires: options.join.
[[nodiscard]] int join_server(const Options& options, const net::OwnKey& own_key);

}  // namespace ssync::client_program
