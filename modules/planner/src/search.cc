#include "search.h"

#include <algorithm>
#include <span>

namespace ssync::planner {

Search::Search(State& state, Queries& questions) : state_(state), questions_(questions) {
  collect_rows();
  collect_candidates();
}

void Search::collect_rows() {
  for (RowIndex row = 0; row < state_.pending.size(); ++row) {
    if (state_.pending[row].action == Action::find_content) rows_.push_back(row);
  }
  std::stable_sort(rows_.begin(), rows_.end(), [this](RowIndex a, RowIndex b) {
    return state_.rows.file_size(a) < state_.rows.file_size(b);
  });
}

void Search::collect_candidates() {
  std::vector<std::uint64_t> sizes;
  for (const RowIndex row : rows_) {
    const std::uint64_t size = state_.rows.file_size(row);
    if (sizes.empty() || sizes.back() != size) sizes.push_back(size);
  }
  if (sizes.empty()) return;
  const auto entries = static_cast<EntryIndex>(state_.mirror.size());
  for (EntryIndex entry = 0; entry < entries; ++entry) {
    if (state_.mirror.kind(entry) != Kind::file) continue;
    if (std::binary_search(sizes.begin(), sizes.end(), state_.mirror.file_size(entry)))
      candidates_.push_back(entry);
  }
  std::stable_sort(candidates_.begin(), candidates_.end(), [this](EntryIndex a, EntryIndex b) {
    return state_.mirror.file_size(a) < state_.mirror.file_size(b);
  });
}

// The next size that has both rows and candidates. False: there is none, and no row is left.
bool Search::start_next() {
  while (next_row_ < rows_.size()) {
    const std::size_t first_row = next_row_;
    const std::uint64_t size = state_.rows.file_size(rows_[first_row]);
    while (next_row_ < rows_.size() && state_.rows.file_size(rows_[next_row_]) == size)
      ++next_row_;
    const std::size_t first = next_candidate_;
    while (next_candidate_ < candidates_.size() &&
           state_.mirror.file_size(candidates_[next_candidate_]) == size) {
      ++next_candidate_;
    }
    const std::span<const RowIndex> rows(&rows_[first_row], next_row_ - first_row);
    if (next_candidate_ == first) {
      for (const RowIndex row : rows)
        state_.pending[row].action = Action::request;
      continue;
    }
    const std::span<const EntryIndex> candidates(&candidates_[first], next_candidate_ - first);
    auto slot = std::find(groups_.begin(), groups_.end(), nullptr);
    if (slot == groups_.end()) slot = groups_.insert(slot, nullptr);
    const auto number = static_cast<std::uint32_t>(slot - groups_.begin());
    *slot = std::make_unique<SizeGroup>(state_, questions_, number, rows, candidates);
    ++active_;
    return true;
  }
  return false;
}

bool Search::run() {
  for (bool more = true; more;) {
    for (auto& group : groups_) {
      if (!group || !group->run()) continue;
      group.reset();
      --active_;
    }
    more = active_ < kGroupsMax && questions_.has_room() && start_next();
  }
  if (active_ > 0 || next_row_ < rows_.size()) return false;
  state_.absorb_learnt();
  state_.origins.clear();
  return true;
}

void Search::receive(const Subject& subject, const Answer& answer) {
  SSYNC_ASSERT(subject.owner < groups_.size() && groups_[subject.owner]);
  groups_[subject.owner]->receive(subject, answer);
}

}  // namespace ssync::planner
