#pragma once

#include "ssync/base/exit_code.h"
#include "ssync/session/client.h"

namespace ssync::source {

/// How a program ends when a session ended so.
[[nodiscard]] ExitCode code_of(const session::client::Failed& failed);

}  // namespace ssync::source
