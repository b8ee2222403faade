// --invite, --clients, --revoke: what is done with the files of clients, whether a server runs or not.
#pragma once

#include <optional>

#include "options.h"

namespace ssync::server_program {

/// Does what the options ask for and says so; the exit code. nullopt: they ask for none of it.
[[nodiscard]] std::optional<int> run_client_command(const Options& options);

}  // namespace ssync::server_program
