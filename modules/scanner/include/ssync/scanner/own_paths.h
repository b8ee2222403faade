// What a program keeps on disk itself, where it lies in the tree that it scans.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ssync/fs/tree.h"

namespace ssync::scanner {

/// Paths below the root for Options::leave_out: the log file, and a state directory that holds nothing else
/// than state. Empty when both lie elsewhere.
[[nodiscard]] std::vector<std::string> own_paths(const fs::Root& root, const std::string& state_dir,
                                                 const std::optional<std::string>& log_file);

}  // namespace ssync::scanner
