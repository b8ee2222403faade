// How many threads there are for one kind of work.
#pragma once

#include <algorithm>
#include <cstddef>

namespace ssync {

struct ThreadCounts {
  unsigned busy = 1;     ///< to begin with
  unsigned waiting = 1;  ///< at most, when they wait: see Workers

  /// What each has when `takers` do that work at the same time: at least one, or two that wait.
  [[nodiscard]] constexpr ThreadCounts shared_by(std::size_t takers) const noexcept {
    const auto share = [takers](unsigned threads, unsigned least) {
      const std::size_t each = threads / std::max<std::size_t>(takers, 1);
      return std::min(threads, std::max(static_cast<unsigned>(each), least));
    };
    return {share(busy, 1), share(waiting, 2)};
  }

  friend bool operator==(const ThreadCounts&, const ThreadCounts&) = default;
};

}  // namespace ssync
