// Which mirrors a server has.
#pragma once

#include <string>
#include <vector>

#include "ssync/base/exit_code.h"
#include "ssync/source/source.h"
#include "ssync/wire/messages.h"

namespace ssync::source {

struct ListedMirrors {
  std::vector<wire::MirrorRow> mirrors;  ///< those that this client may know of, by name
  ExitCode code = ExitCode::ok;
  std::string text;  ///< why not
};

/// Asks the server of `options`; blocks, for Options::connect at most until it begins to answer.
[[nodiscard]] ListedMirrors list_mirrors(const Options& options);

}  // namespace ssync::source
