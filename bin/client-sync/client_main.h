// client-sync from its command line to its exit code.
#pragma once

#include "ssync/source/source.h"

namespace ssync::client_program {

/// Parses, builds the parts, runs to the end. The process's only caller of this; call it before any thread
/// exists.
[[nodiscard]] int run_client(int argc, char** argv, const source::Capacities& capacities);

}  // namespace ssync::client_program
