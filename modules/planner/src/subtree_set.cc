#include "subtree_set.h"

#include <iterator>
#include <utility>

namespace ssync::planner {

void SubtreeSet::insert(std::string path) {
  if (covers(path)) return;
  auto below = members_.lower_bound(path);
  while (below != members_.end() && is_at_or_below(*below, path))
    below = members_.erase(below);
  members_.insert(below, std::move(path));
  ++version_;
}

bool SubtreeSet::covers(std::string_view path) const {
  const auto after = members_.upper_bound(path);
  return after != members_.begin() && is_at_or_below(path, *std::prev(after));
}

}  // namespace ssync::planner
