#include "proven_origins.h"

#include "compare.h"

namespace ssync::planner {

EntryIndex OriginFinder::find(RowIndex row, const Origin& origin) {
  const Snapshot& mirror = state_.mirror;
  if (location_ != origin.location) {
    location_ = origin.location;
    const auto directory = mirror.find_directory(origin.location);
    entries_ = directory ? mirror.rows(*directory) : Snapshot::Range{};
  }
  const std::optional<EntryIndex> at = mirror.find(entries_, origin.name);
  if (!at || mirror.kind(*at) != Kind::file || state_.mirror_has(*at, kFlagDoubt) ||
      !state_.mirror_has(*at, kFlagChecksum) || mirror.tag(*at) != prefix_of(origin.checksum) ||
      mirror.file_size(*at) != state_.rows.file_size(row)) {
    return kNoEntry;
  }
  return *at;
}

bool can_take(const State& state, EntryIndex self, EntryIndex entry) {
  if (entry == self) return false;
  if (self == kNoEntry || !state.mirror_has(entry, kFlagLinks)) return true;
  const Snapshot::View mine = state.mirror.view(self);
  const Snapshot::View other = state.mirror.view(entry);
  return mine.inode != other.inode || mine.device != other.device;
}

void take_from(State& state, RowIndex row, EntryIndex from) {
  Pending& pending = state.pending[row];
  pending.from = from;
  pending.action = Action::copy;
  if (state.deletes_allowed() && state.is_gone(from) && !state.mirror_has(from, kMoved)) {
    pending.action = Action::rename;
    state.set_mirror_flag(from, kMoved);
  }
}

// The candidate waits in the row until all answers are there: who renames and who copies must not depend on
// their order.
bool ProvenOrigins::run() {
  if (state_.options.compare_content) return true;
  for (; next_row_ < state_.pending.size(); ++next_row_) {
    if (state_.pending[next_row_].action != Action::find_content) continue;
    const std::optional<Origin> origin = state_.origins.find(next_row_);
    if (!origin || !origin->proven) continue;
    if (!questions_.has_room()) return false;
    const EntryIndex entry = finder_.find(next_row_, *origin);
    const EntryIndex self = state_.has(next_row_, kReplaces) ? kNoEntry : state_.entry_at(next_row_);
    if (entry == kNoEntry || !can_take(state_, self, entry)) continue;
    if (state_.checksums.get(next_row_).value_or(origin->checksum) != origin->checksum) continue;
    Query query = mirror_query(state_, entry, Query::What::checksum);
    query.known_only = true;
    state_.pending[next_row_].from = entry;
    questions_.ask(std::move(query), {0, next_row_, 0});
  }
  if (questions_.has_open()) return false;
  decide();
  return true;
}

void ProvenOrigins::receive(const Subject& subject, const Answer& answer) {
  if (answer.checksum != state_.origins.find(subject.item)->checksum)
    state_.pending[subject.item].from = kNoEntry;
}

void ProvenOrigins::decide() {
  for (RowIndex row = 0; row < state_.pending.size(); ++row) {
    const EntryIndex from = state_.pending[row].from;
    if (state_.pending[row].action != Action::find_content || from == kNoEntry) continue;
    take_from(state_, row, from);
    if (!state_.checksums.find(row)) state_.learnt_checksums.put(row, state_.origins.find(row)->checksum);
  }
  state_.absorb_learnt();
}

}  // namespace ssync::planner
