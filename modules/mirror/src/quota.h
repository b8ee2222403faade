// How much a client may leave in the mirror (Limits): looked at while the list comes, when the plan is made,
// and while content comes, as a file can be larger by then than its row said.
#pragma once

#include <cstdint>
#include <optional>

#include "ssync/base/result.h"
#include "ssync/mirror/options.h"
#include "ssync/model/change.h"

#include "queues.h"

namespace ssync::mirror {

/// Thread safety: none. Errors: Errc::permission, with what would be held and what is allowed.
class Quota {
 public:
  explicit Quota(const Limits& limits) : limits_(limits) {}

  /// More of the list. So a list without end is not taken to its end.
  [[nodiscard]] Result<void> add(const ListBatch& list);
  /// `kept_bytes`: planner::Planner::kept_bytes(). Returns by how much content may be larger than the plan
  /// says; nullopt: without limit.
  [[nodiscard]] Result<std::optional<std::uint64_t>> check(const PlanTotals& plan,
                                                           std::uint64_t kept_bytes) const;

 private:
  [[nodiscard]] Result<void> check_copies(const PlanTotals& plan) const;

  const Limits limits_;
  std::uint64_t entries_ = 0;  ///< rows
  std::uint64_t directories_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace ssync::mirror
