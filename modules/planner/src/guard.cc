// Is this plan an accident? The measure is what vanishes and does not come back under another name.
#include "guard.h"

#include <algorithm>

#include "ssync/planner/planner.h"

namespace ssync::planner {
namespace {

/// New content of at least this part of what is deleted (1 / n) takes its place: what is packed, as in a
/// repository or an archive, is kept in fewer entries and bytes.
constexpr std::uint64_t kPacked = 20;

std::uint64_t minus(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

/// part / whole > 1 / n.
bool is_over(std::uint64_t part, std::uint64_t whole, std::uint64_t n) {
  return part > whole / n;
}

bool loses_most_entries(const PlanTotals& totals, const Losses& losses) {
  return is_over(minus(totals.deletes, losses.new_entries), totals.mirror_entries, 2);
}

bool loses_most_bytes(const PlanTotals& totals, const Losses& losses) {
  return is_over(minus(totals.delete_bytes, losses.new_bytes), totals.mirror_bytes, 2);
}

// Most entries of places that stand; or most entries and most bytes, wherever they are. A whole place that
// goes with its name and holds many small files is what somebody made and removes.
bool loses_most(const PlanTotals& totals, const Losses& losses) {
  if (!loses_most_entries(totals, losses)) return false;
  const std::uint64_t coming = losses.new_bytes;
  if (coming > 0 && coming >= totals.delete_bytes / kPacked) return false;
  const std::uint64_t standing = minus(totals.deletes, losses.removed_entries);
  return totals.mirror_bytes == 0 || loses_most_bytes(totals, losses) ||
         is_over(minus(standing, losses.new_entries), totals.mirror_entries, 2);
}

// Most directories below the root, and with them most of what there is to count in one way or the other.
bool loses_places(const PlanTotals& totals, const Losses& losses) {
  return is_over(totals.places_lost, totals.places, 2) &&
         (loses_most_entries(totals, losses) || loses_most_bytes(totals, losses));
}

// A disk that is not mounted leaves its mount point behind. Nothing that comes elsewhere makes up for it.
bool has_emptied_place(const PlanTotals& totals, const Losses& losses) {
  return is_over(losses.emptied_entries, totals.mirror_entries, 4) ||
         is_over(losses.emptied_bytes, totals.mirror_bytes, 4);
}

Guard accident(const PlanTotals& totals, const Losses& losses, const Options& options) {
  if (totals.deletes < kGuardFrom) return Guard::none;
  if (totals.source_entries == 0) return Guard::source_empty;
  if (!options.mirror_synced_before) return Guard::never_synced;
  const bool is_accident =
      loses_most(totals, losses) || loses_places(totals, losses) || has_emptied_place(totals, losses);
  return is_accident ? Guard::over_half : Guard::none;
}

}  // namespace

Guard check_guard(const PlanTotals& totals, const Losses& losses, const Options& options) {
  const bool lifted = options.client_max_delete && *options.client_max_delete >= totals.deletes;
  if (!lifted) {
    if (const Guard guard = accident(totals, losses, options); guard != Guard::none) return guard;
  }
  const std::uint64_t none = ~std::uint64_t{0};
  const std::uint64_t allowed =
      std::min(options.client_max_delete.value_or(none), options.server_max_delete.value_or(none));
  return totals.deletes > allowed ? Guard::max_delete : Guard::none;
}

}  // namespace ssync::planner
