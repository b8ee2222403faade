#include "resolve.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ssync/model/total.h"

namespace ssync::planner {
namespace {

void leave_out(State& state, RowIndex row, std::string text) {
  const Snapshot::View view = state.rows.view(row);
  Problem problem;
  problem.location = view.location;
  problem.name = view.name;
  problem.text = std::move(text);
  problem.subtree = view.values.kind == Kind::directory;
  problem.row = view.inode;
  state.report(std::move(problem));
  state.pending[row].action = Action::left_out;
}

// A directory that is gone from the source stays when something inside has to.
void protect_ancestors(State& state) {
  if (state.blocked.empty() && state.holding_own.empty()) return;
  const Snapshot& mirror = state.mirror;
  for (auto i = static_cast<DirectoryIndex>(mirror.directories()); i-- > 1;) {
    const Snapshot::Range inside = mirror.rows(i);
    bool is_needed = std::ranges::binary_search(state.holding_own, i);
    for (EntryIndex entry = inside.first; entry < inside.last && !is_needed; ++entry) {
      is_needed = !state.is_gone(entry);
    }
    if (!is_needed) continue;
    const auto directory = mirror.find(split(mirror.location(i)));
    if (!directory || !state.is_gone(*directory)) continue;
    state.set_mirror_flag(*directory, kProtected);
    // With a row of another kind at its path it is no extra but a Problem.
    if (!state.rows.find(split(mirror.location(i)))) ++state.totals.extras_kept;
  }
}

// What cannot be replaced stays whole.
void protect_below(State& state, EntryIndex directory) {
  const std::string path = join(state.mirror.view(directory).path());
  const auto first = state.mirror.find_directory(path);
  if (!first) return;
  for (DirectoryIndex i = *first; i < state.mirror.directories(); ++i) {
    if (!is_at_or_below(state.mirror.location(i), path)) return;
    const Snapshot::Range inside = state.mirror.rows(i);
    for (EntryIndex entry = inside.first; entry < inside.last; ++entry) {
      state.set_mirror_flag(entry, kProtected);
    }
  }
}

// Case-insensitive mirrors: a new name may be an old one in other letters. Either stands at the same path.
void find_twins(State& state, DirectoryIndex directory) {
  const auto there = state.mirror.find_directory(state.rows.location(directory));
  if (!there) return;
  std::unordered_map<std::string, EntryIndex> left;
  const Snapshot::Range entries = state.mirror.rows(*there);
  for (EntryIndex entry = entries.first; entry < entries.last; ++entry) {
    if (!state.mirror_has(entry, kStays)) left.emplace(fold_widely(state.mirror.name(entry)), entry);
  }
  if (left.empty()) return;
  const Snapshot::Range rows = state.rows.rows(directory);
  for (RowIndex row = rows.first; row < rows.last; ++row) {
    if (state.entry_at(row) != kNoEntry || state.pending[row].action == Action::left_out) continue;
    const auto twin = left.find(fold_widely(state.rows.name(row)));
    if (twin == left.end()) continue;
    state.rows.set_tag(row, twin->second);
    state.set(row, kReplaces);
    state.set(row, kTwin);
  }
}

bool has_entries(const State& state, EntryIndex entry) {
  if (state.mirror.kind(entry) != Kind::directory) return false;
  const auto inside = state.mirror.find_directory(join(state.mirror.view(entry).path()));
  if (!inside) return false;
  const Snapshot::Range rows = state.mirror.rows(*inside);
  return rows.first != rows.last;
}

// Why the entry in the way of `row` cannot go; empty when it can. Where nothing may be deleted another kind
// is replaced all the same, unless something inside would be lost with it.
std::string obstacle(const State& state, RowIndex row) {
  const EntryIndex entry = state.entry_at(row);
  const bool is_protected = state.mirror_has(entry, kProtected);
  const bool may_go = state.deletes_allowed() || (!state.has(row, kTwin) && !has_entries(state, entry));
  if (!is_protected && may_go) return {};
  std::string text;
  if (state.has(row, kTwin)) {
    text = "the mirror cannot tell it from '" + printable(state.mirror.view(entry).path()) + "'";
  } else {
    text = "is a ";
    text.append(text_of(state.rows.kind(row))).append(" in the source and a ");
    text.append(text_of(state.mirror.kind(entry))).append(" on the mirror");
  }
  text += is_protected ? ", and something inside must stay" : ", where nothing may be deleted";
  return text;
}

// Without deletes extras stay, and so do not count among those that go; what is replaced does.
void keep_extras(State& state, const std::vector<EntryIndex>& replaced) {
  const auto entries = static_cast<EntryIndex>(state.mirror.size());
  for (EntryIndex entry = 0; entry < entries; ++entry) {
    if (!state.is_gone(entry) || std::ranges::binary_search(replaced, entry)) continue;
    state.set_mirror_flag(entry, kProtected);
    ++state.totals.extras_kept;
    add_to(state.kept_bytes, state.content_bytes(entry));
  }
}

}  // namespace

void resolve_conflicts(State& state) {
  state.checksums.sort();
  protect_ancestors(state);
  std::vector<EntryIndex> replaced;
  for (DirectoryIndex i = 0; i < state.rows.directories(); ++i) {
    if (!state.options.attributes.case_sensitive) find_twins(state, i);
    const auto parent = state.directory_row(state.rows.location(i));
    SSYNC_ASSERT(parent.has_value());
    const bool is_out = state.pending[*parent].action == Action::left_out;
    const bool is_late = state.has(*parent, kLate);
    const Snapshot::Range rows = state.rows.rows(i);
    for (RowIndex row = rows.first; row < rows.last; ++row) {
      if (state.pending[row].action == Action::left_out) continue;
      if (is_out && row != *parent) state.pending[row].action = Action::left_out;
      if (state.has(row, kReplaces) && !is_out) {
        if (std::string why = obstacle(state, row); !why.empty()) {
          leave_out(state, row, std::move(why));
          protect_below(state, state.entry_at(row));
        } else {
          replaced.push_back(state.entry_at(row));
        }
      }
      if (is_late || state.has(row, kReplaces)) state.set(row, kLate);
    }
  }
  if (state.deletes_allowed()) return;
  std::ranges::sort(replaced);
  keep_extras(state, replaced);
}

namespace {

// The file or link itself gets the row's content, or other content in its place: then it only gets the row's
// letters first, so that its path is never free.
void resolve_twin(State& state, RowIndex row, const std::unordered_map<EntryIndex, RowIndex>& takers) {
  Pending& pending = state.pending[row];
  const EntryIndex entry = state.entry_at(row);
  const auto taker = takers.find(entry);
  if (taker != takers.end() && taker->second != row) {
    state.pending[taker->second].action = Action::copy;
    state.clear_mirror_flag(entry, kMoved);
  }
  const auto parent = state.directory_row(state.rows.view(row).location);
  pending.facts = static_cast<Facts>(pending.facts & ~kReplaces);
  if (!state.has(*parent, kLate)) pending.facts = static_cast<Facts>(pending.facts & ~kLate);
  const bool keeps_content =
      (pending.action == Action::rename || pending.action == Action::copy) && pending.from == entry;
  if (keeps_content) {
    pending.action = Action::rename;
    pending.facts = static_cast<Facts>(pending.facts & ~kTwin);
    state.set_mirror_flag(entry, kMoved);
    state.rows.set_tag(row, kNoEntry);
  } else {
    state.set_mirror_flag(entry, kStays);
    state.brought.emplace(entry, row);
  }
}

}  // namespace

void resolve_case_renames(State& state) {
  if (state.options.attributes.case_sensitive) return;
  std::vector<RowIndex> twins;
  std::unordered_map<EntryIndex, RowIndex> takers;
  for (RowIndex row = 0; row < state.pending.size(); ++row) {
    const Pending& pending = state.pending[row];
    if (pending.action == Action::rename) takers.emplace(pending.from, row);
    if (!state.has(row, kTwin) || pending.action == Action::left_out) continue;
    const Kind kind = state.rows.kind(row);
    if (kind != Kind::directory && kind == state.mirror.kind(state.entry_at(row))) twins.push_back(row);
  }
  for (const RowIndex row : twins)
    resolve_twin(state, row, takers);
}

void withhold_deletes(State& state) {
  SubtreeSet out;
  for (RowWalk walk(state.rows); !walk.done(); walk.next()) {
    const RowIndex row = walk.row();
    Pending& pending = state.pending[row];
    if (pending.action == Action::left_out || !state.has(row, kLate)) continue;
    const Snapshot::View view = walk.view();
    const bool is_below = out.covers(view.location);
    if (!is_below && !state.has(row, kReplaces)) continue;
    if (pending.action == Action::rename) state.clear_mirror_flag(pending.from, kMoved);
    if (is_below) {
      pending.action = Action::left_out;
    } else {
      leave_out(state, row, "something else on the mirror is in its place, and deletes are withheld");
      out.insert(join(view.path()));
    }
    // What stands in the way stays, so nothing may take it away either.
    if (state.has(row, kReplaces)) state.set_mirror_flag(state.entry_at(row), kProtected);
  }
  for (Pending& pending : state.pending) {
    if (pending.action != Action::rename || !state.mirror_has(pending.from, kProtected)) continue;
    pending.action = Action::copy;
    state.clear_mirror_flag(pending.from, kMoved);
  }
}

Extras count_extras(const State& state) {
  const std::size_t entries = state.mirror.size();
  Extras extras;
  for (EntryIndex entry = 0; entry < entries; ++entry) {
    if (!state.is_gone(entry) || state.mirror_has(entry, kMoved)) continue;
    ++extras.entries;
    add_to(extras.bytes, state.content_bytes(entry));
  }
  return extras;
}

void count_actions(State& state) {
  PlanTotals& totals = state.totals;
  for (RowIndex row = 0; row < state.pending.size(); ++row) {
    const std::uint64_t size = state.rows.file_size(row);
    switch (state.pending[row].action) {
      case Action::same:
      case Action::record:
        // The root is no entry of the tree; what was forgotten was counted when it was.
        if (row > 0) ++totals.unchanged;
        break;
      case Action::metadata:
        ++totals.metadata;
        break;
      case Action::make_directory:
      case Action::make_link:
      case Action::make_empty:
        ++totals.created;
        break;
      case Action::move_directory:
        ++totals.renames;
        break;
      case Action::moved:
        // The last word on a directory belongs to its move.
        if (state.has(row, kMetaSame) || state.rows.kind(row) == Kind::directory) {
          ++totals.unchanged;
        } else {
          ++totals.metadata;
        }
        break;
      case Action::copy:
        ++totals.copies;
        add_to(totals.reused_bytes, size);
        break;
      case Action::rename:
        ++totals.renames;
        add_to(totals.reused_bytes, size);
        break;
      case Action::request:
        ++totals.requests;
        add_to(totals.request_bytes, size);
        break;
      case Action::left_out:
      case Action::compare:
      case Action::find_content:
        break;
    }
  }
}

}  // namespace ssync::planner
