// Checks that a list of rows is a tree in row order, as it comes: a peer's list is believed in nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"

namespace ssync::planner {

/// Every row must sort after the one before it, and its location must be a directory that was listed. Memory:
/// the names of directories beside the current location and its ancestors.
class ListOrder {
 public:
  /// What a broken rule is called, and how the message names the list ("source list").
  ListOrder(Errc code, std::string_view list) : code_(code), list_(list) {}

  /// The first row. Requires: nothing was added before.
  [[nodiscard]] Result<void> add_root(PathView path, Kind kind);
  /// A new location begins. Requires: add_root() was there.
  [[nodiscard]] Result<void> enter(std::string_view location);
  /// A row in the location entered last.
  [[nodiscard]] Result<void> add(std::string_view name, Kind kind);

  [[nodiscard]] bool has_root() const noexcept { return !levels_.empty(); }
  [[nodiscard]] std::string_view location() const noexcept { return path_; }

 private:
  /// One location on the way from the root to the current one.
  struct Level {
    std::size_t location_bytes = 0;  ///< its location is the beginning of path_
    std::string names;               ///< directories in it, ascending: length byte, name
    std::size_t next = 0;            ///< those before were entered or passed
  };

  [[nodiscard]] tl::unexpected<Error> broken(std::string_view path, std::string_view rule) const;
  static bool take_name(Level& level, std::string_view name);

  Errc code_;
  std::string list_;
  std::string path_;  ///< the current location
  std::string last_;  ///< the last name in it
  bool any_ = false;  ///< it has a name
  std::vector<Level> levels_;
};

}  // namespace ssync::planner
