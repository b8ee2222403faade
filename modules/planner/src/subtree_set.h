// A set of subtrees, asked for every location of a tree: is it inside one of them?
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "ssync/model/path.h"

namespace ssync::planner {

/// Holds no path that is inside another one. As a subtree's locations are contiguous in row order, the
/// greatest member that does not sort after a location is then the only one that can cover it.
class SubtreeSet {
 public:
  /// Adds `path` (joined; empty is the whole tree) and everything below it.
  void insert(std::string path);
  /// True when `path` is a member or below one.
  [[nodiscard]] bool covers(std::string_view path) const;
  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
  /// Changes with every insert() that changed something.
  [[nodiscard]] std::size_t version() const noexcept { return version_; }

 private:
  struct Order {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept {
      return compare_locations(a, b) < 0;
    }
  };
  std::set<std::string, Order> members_;
  std::size_t version_ = 0;
};

}  // namespace ssync::planner
