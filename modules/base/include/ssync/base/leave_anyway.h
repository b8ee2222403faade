#pragma once

#include <chrono>
#include <string>

#include "ssync/base/exit_code.h"

namespace ssync {

/// For the way out of main: when the process still lives after `limit`, it says `text` on stderr and ends
/// with `code`, without destructors. A thread that hangs in a file system which does not answer cannot be
/// joined, and nobody should have to wait for it.
void leave_anyway(std::chrono::milliseconds limit, ExitCode code, std::string text);

}  // namespace ssync
