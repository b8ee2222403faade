// What a configuration that was read again changes.
#pragma once

#include <string>
#include <vector>

#include "options.h"

namespace ssync::server_program {

struct Reload {
  /// One sentence for people for each setting that is another now and cannot be used by a running server.
  std::vector<std::string> notices;
  /// The options that hold from now on: the new ones, but the old values of settings that need a restart.
  Options options;
};

/// Plain values; looks at nothing.
[[nodiscard]] Reload compare(const Options& before, const Options& after);

}  // namespace ssync::server_program
