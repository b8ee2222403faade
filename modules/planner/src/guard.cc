#include <algorithm>

#include "ssync/planner/planner.h"

namespace ssync::planner {
namespace {

// Fewer deletes than this are never held up: a small tree may lose half of its entries on any day.
constexpr std::uint64_t kGuardFrom = 100;

Guard accident(const PlanTotals& totals, const Options& options) {
  if (totals.deletes < kGuardFrom) return Guard::none;
  if (totals.source_entries == 0) return Guard::source_empty;
  if (!options.mirror_synced_before) return Guard::never_synced;
  // deletes * 2 > mirror_entries, without overflow.
  if (totals.deletes > totals.mirror_entries / 2) return Guard::over_half;
  return Guard::none;
}

}  // namespace

Guard check_guard(const PlanTotals& totals, const Options& options) {
  const bool lifted = options.client_max_delete && *options.client_max_delete >= totals.deletes;
  if (!lifted) {
    if (const Guard guard = accident(totals, options); guard != Guard::none) return guard;
  }
  const std::uint64_t none = ~std::uint64_t{0};
  const std::uint64_t allowed =
      std::min(options.client_max_delete.value_or(none), options.server_max_delete.value_or(none));
  return totals.deletes > allowed ? Guard::max_delete : Guard::none;
}

}  // namespace ssync::planner
