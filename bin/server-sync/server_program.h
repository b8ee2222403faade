// server-sync from its command line to its exit code.
#pragma once

#include "ssync/mirror/options.h"

namespace ssync::server_program {

/// Parses, builds the parts, runs until a signal. The process's only caller of this; call it before any
/// thread exists.
[[nodiscard]] int run_server(int argc, char** argv, const mirror::Capacities& capacities);

}  // namespace ssync::server_program
