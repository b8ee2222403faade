#include "losses.h"

#include <string_view>

#include "ssync/model/total.h"

#include "guard.h"

namespace ssync::planner {
namespace {

struct Amount {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

/// The location's first component.
std::string_view place_of(std::string_view location) {
  return location.substr(0, location.find('/'));
}

class LossCount {
 public:
  explicit LossCount(State& state) : state_(state) {}
  Losses run();

 private:
  void count_directory(DirectoryIndex directory);
  void leave_place();
  void count_new();

  State& state_;
  Losses losses_;
  // The place that the pass is in: a subtree's locations are contiguous.
  std::string_view place_;
  Amount lost_;
  bool keeps_something_ = false;
};

Losses LossCount::run() {
  const auto directories = static_cast<DirectoryIndex>(state_.mirror.directories());
  for (DirectoryIndex i = 0; i < directories; ++i)
    count_directory(i);
  leave_place();
  if (state_.totals.deletes >= kGuardFrom) count_new();
  return losses_;
}

void LossCount::count_directory(DirectoryIndex directory) {
  const Snapshot& mirror = state_.mirror;
  const std::string_view place = place_of(mirror.location(directory));
  if (place != place_) {
    leave_place();
    place_ = place;
    lost_ = {};
    keeps_something_ = false;
  }
  const Snapshot::Range entries = mirror.rows(directory);
  PlanTotals& totals = state_.totals;
  for (EntryIndex entry = entries.first; entry < entries.last; ++entry) {
    const std::uint64_t size = state_.content_bytes(entry);
    add_to(totals.mirror_bytes, size);
    if (!state_.is_gone(entry) || state_.mirror_has(entry, kMoved)) {
      keeps_something_ = true;
      continue;
    }
    ++totals.deletes;
    add_to(totals.delete_bytes, size);
    ++lost_.entries;
    add_to(lost_.bytes, size);
  }
}

// Nothing of a lost place stays or moves, and nothing new comes to it.
void LossCount::leave_place() {
  if (place_.empty() || (lost_.entries == 0 && !keeps_something_)) return;
  ++state_.totals.places;
  if (keeps_something_ || state_.rows.find_directory(place_)) return;
  ++state_.totals.places_lost;
  const auto own = state_.mirror.find({{}, place_});
  if (!own || state_.is_gone(*own)) {
    losses_.removed_entries += lost_.entries + 1;
    return;
  }
  losses_.emptied_entries += lost_.entries;
  add_to(losses_.emptied_bytes, lost_.bytes);
}

void LossCount::count_new() {
  for (RowIndex row = 0; row < state_.pending.size(); ++row) {
    const Action action = state_.pending[row].action;
    const bool has_content = action == Action::copy || action == Action::request;
    const bool is_made = action == Action::make_directory || action == Action::make_link ||
                         action == Action::make_empty || has_content;
    if (!is_made || (state_.entry_at(row) != kNoEntry && !state_.has(row, kReplaces))) continue;
    ++losses_.new_entries;
    if (has_content) add_to(losses_.new_bytes, state_.rows.file_size(row));
  }
}

}  // namespace

Losses count_losses(State& state) {
  return LossCount(state).run();
}

}  // namespace ssync::planner
