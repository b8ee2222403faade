// Open handles of the directories used last: names are opened relative to them, and neighbours in a list
// share one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"

namespace ssync::fs {

/// Thread safety: one thread at a time. Handles may go stale when a directory is replaced: forget() it then.
class DirectoryCache {
 public:
  static constexpr std::size_t kHandles = 16;    ///< where there is room for them
  static constexpr std::size_t kHandlesMin = 3;  ///< a directory moved from, one moved to, and one beside

  explicit DirectoryCache(Tree& tree);
  /// Borrowed: valid until kHandlesMin - 1 other locations were opened, or forget() or clear().
  [[nodiscard]] Result<Directory*> open(std::string_view location);
  void forget(std::string_view location);
  void clear();

 private:
  struct Slot {
    std::string location;
    std::unique_ptr<Directory> handle;
    std::uint64_t used = 0;
  };
  Tree& tree_;
  const std::size_t kept_;
  std::vector<Slot> slots_;
  std::size_t last_ = 0;
  std::uint64_t uses_ = 0;
};

/// `use(directory)` with the cached handle and, when a name is not found through it, with a fresh one: the
/// directory may have been replaced since the handle was opened.
template <typename Use>
[[nodiscard]] auto with_directory(DirectoryCache& cache, std::string_view location, Use use)
    -> decltype(use(std::declval<Directory&>())) {
  for (bool again = false;; again = true) {
    Result<Directory*> directory = cache.open(location);
    if (!directory) return fail(std::move(directory).error());
    auto result = use(**directory);
    if (result || again || result.error().code != Errc::not_found) return result;
    cache.forget(location);
  }
}

}  // namespace ssync::fs
