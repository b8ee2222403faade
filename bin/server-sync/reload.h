// What a configuration that was read again changes.
#pragma once

#include <string>
#include <vector>

#include "options.h"

namespace ssync::server_program {

struct Reload {
  /// One sentence for people for each setting that is another now and cannot be used by a running server.
  std::vector<std::string> notices;
  /// What holds from now on: the new options, with the old values of what needs a restart.
  Options options;
};

/// Plain values; looks at nothing.
[[nodiscard]] Reload compare(const Options& before, const Options& after);

}  // namespace ssync::server_program
