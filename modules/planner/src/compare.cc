#include "compare.h"

#include <utility>

namespace ssync::planner {

Query source_query(const Snapshot::View& row, Query::What what) {
  Query query;
  query.side = Query::Side::source;
  query.what = what;
  query.row = row.inode;
  query.location = row.location;
  query.name = row.name;
  query.size = row.values.size;
  return query;
}

Query mirror_query(const State& state, EntryIndex entry, Query::What what) {
  const Snapshot::View view = state.mirror.view(entry);
  Query query;
  query.side = Query::Side::mirror;
  query.what = what;
  query.location = view.location;
  query.name = view.name;
  query.size = view.values.size;
  query.seen = state.seen(entry);
  return query;
}

bool Comparison::run() {
  for (; !walk_.done() && questions_.has_room(); walk_.next()) {
    if (state_.pending[walk_.row()].action == Action::compare) start(walk_.row(), walk_.view());
  }
  if (!walk_.done() || !pairs_.empty()) return false;
  state_.absorb_learnt();
  state_.mirror_checksums.clear();
  return true;
}

void Comparison::start(RowIndex row, const Snapshot::View& view) {
  Pair pair{state_.checksums.get(row), state_.mirror_checksums.get(row), 0};
  if (!pair.source) {
    questions_.ask(source_query(view, Query::What::checksum),
                   {0, row, static_cast<std::uint8_t>(Query::Side::source)});
    ++pair.open;
  }
  if (!pair.mirror) {
    questions_.ask(mirror_query(state_, view.tag, Query::What::checksum),
                   {0, row, static_cast<std::uint8_t>(Query::Side::mirror)});
    ++pair.open;
  }
  if (pair.open == 0) {
    settle(row, pair);
  } else {
    pairs_.emplace(row, pair);
  }
}

void Comparison::receive(const Subject& subject, const Answer& answer) {
  const auto at = pairs_.find(subject.item);
  SSYNC_ASSERT(at != pairs_.end());
  Pair& pair = at->second;
  const bool is_source = subject.what == static_cast<std::uint8_t>(Query::Side::source);
  (is_source ? pair.source : pair.mirror) = answer.checksum;
  if (is_source && answer.digest && answer.digest->kind == state_.options.digest_kind) {
    state_.learnt_digests.put(subject.item, *answer.digest);
  }
  if (--pair.open > 0) return;
  settle(subject.item, pair);
  pairs_.erase(at);
}

void Comparison::settle(RowIndex row, const Pair& pair) {
  Pending& pending = state_.pending[row];
  if (pair.source) state_.learnt_checksums.put(row, *pair.source);
  if (!pair.source || pair.source != pair.mirror) {
    pending.action = Action::find_content;
    return;
  }
  if (!state_.has(row, kMetaSame)) {
    pending.action = Action::metadata;
  } else if (state_.has(row, kKnown)) {
    pending.action = Action::same;
    const Snapshot::View view = state_.rows.view(row);
    state_.fold(view.path(), view.values, {}, pair.source);
  } else {
    pending.action = Action::record;
  }
}

}  // namespace ssync::planner
