#include "ssync/scanner/own_paths.h"

#include <utility>

#include "ssync/index/index.h"

namespace ssync::scanner {

std::vector<std::string> own_paths(const fs::Root& root, const std::string& state_dir,
                                   const std::optional<std::string>& log_file) {
  std::vector<std::string> paths;
  if (log_file) paths = root.paths_of(*log_file);
  if (index::holds_only_state(state_dir)) {
    for (std::string& path : root.paths_of(state_dir))
      paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace ssync::scanner
