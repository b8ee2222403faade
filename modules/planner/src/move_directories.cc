#include "move_directories.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "resolve.h"

namespace ssync::planner {
namespace {

// Renames that are tried for one new directory before it is taken for none that moved.
constexpr std::size_t kCandidatesMax = 8;

class DirectoryMoves {
 public:
  explicit DirectoryMoves(State& state);
  void run();

 private:
  struct Pair {
    RowIndex row = kNoIndex;
    EntryIndex entry = kNoEntry;
  };
  /// What stands in a directory and at the same place in the new one.
  struct Comparison {
    std::vector<Pair> same;
    std::vector<Pair> replaced;  ///< the same kind, other content
    std::size_t extra = 0;       ///< entries without a counterpart
    /// Most of it is the same: otherwise a file that many packages have would make one of another.
    [[nodiscard]] bool is_likeness() const { return same.size() >= replaced.size() + extra; }
  };

  void collect();
  void try_twin(RowIndex row, const Snapshot::View& view);
  void resolve_twin(RowIndex row, const std::string& path);
  [[nodiscard]] bool is_in_the_way(EntryIndex entry, Snapshot::Range rows);
  void try_row(RowIndex row, const Snapshot::View& view);
  [[nodiscard]] bool try_candidate(RowIndex row, const std::string& path, EntryIndex from);
  [[nodiscard]] std::optional<EntryIndex> candidate(const std::string& path, RowIndex renamed) const;
  [[nodiscard]] bool may_move(EntryIndex directory, const Snapshot::View& to) const;
  [[nodiscard]] std::uint64_t device_above(std::string_view location) const;
  [[nodiscard]] bool compare_below(const std::string& from, const std::string& to, std::uint64_t device);
  [[nodiscard]] bool compare_directory(DirectoryIndex from, std::string_view to, std::uint64_t device);
  [[nodiscard]] bool compare(RowIndex row, EntryIndex entry);
  [[nodiscard]] bool is_same(RowIndex row, EntryIndex entry) const;
  [[nodiscard]] bool can_replace(RowIndex row, EntryIndex entry) const;
  void apply(RowIndex row, EntryIndex directory);
  void keep_content_for_others(const Pair& pair);

  State& state_;
  const bool may_differ_;
  std::vector<Pair> renames_;   // by row
  std::vector<Pair> by_entry_;  // the same, by entry
  Comparison comparison_;
  bool is_twin_ = false;  ///< what is compared is one directory, which changes the case of its name
  RowIndex folded_first_ = kNoIndex;
  std::unordered_set<std::string> folded_names_;  ///< of the rows from folded_first_ on, in their directory
};

// Where something may have to stay although it should go (below a Problem, because deletes are withheld), it
// should stay at its place: then only what is the same throughout moves.
bool may_differ(const State& state) {
  const std::uint64_t none = ~std::uint64_t{0};
  const std::uint64_t allowed = std::min(state.options.client_max_delete.value_or(none),
                                         state.options.server_max_delete.value_or(none));
  return state.blocked.empty() && (allowed == none || count_extras(state).entries <= allowed);
}

DirectoryMoves::DirectoryMoves(State& state) : state_(state), may_differ_(may_differ(state)) {}

void DirectoryMoves::collect() {
  for (RowIndex row = 0; row < state_.pending.size(); ++row) {
    const Pending& pending = state_.pending[row];
    if (pending.action == Action::rename) renames_.push_back({row, pending.from});
  }
  by_entry_ = renames_;
  std::ranges::sort(by_entry_, {}, &Pair::entry);
}

// The directory that one renamed file says the new one was.
std::optional<EntryIndex> DirectoryMoves::candidate(const std::string& path, RowIndex renamed) const {
  const Snapshot::View to = state_.rows.view(renamed);
  const Snapshot::View from = state_.mirror.view(state_.pending[renamed].from);
  const std::string_view below = to.location.substr(path.size());  // empty, or with its slash
  if (from.name != to.name || !from.location.ends_with(below)) return std::nullopt;
  const std::string_view old = from.location.substr(0, from.location.size() - below.size());
  if (old.empty()) return std::nullopt;
  return state_.mirror.find(split(old));
}

// A directory that was there before, at or above a location: what is made now is on the same device.
std::uint64_t DirectoryMoves::device_above(std::string_view location) const {
  for (;;) {
    const auto row = state_.directory_row(location);
    if (row && state_.entry_at(*row) != kNoEntry) return state_.mirror.view(state_.entry_at(*row)).device;
    if (location.empty()) return 0;
    location = split(location).location;
  }
}

bool DirectoryMoves::may_move(EntryIndex directory, const Snapshot::View& to) const {
  return state_.mirror.kind(directory) == Kind::directory && state_.is_gone(directory) &&
         !state_.mirror_has(directory, kMoved) &&
         state_.mirror.view(directory).device == device_above(to.location);
}

// Files that are copied from it find it at its new path.
bool DirectoryMoves::is_same(RowIndex row, EntryIndex entry) const {
  const Pending& pending = state_.pending[row];
  const Snapshot::View there = state_.mirror.view(entry);
  switch (pending.action) {
    case Action::rename:
    case Action::copy:
      return pending.from == entry;
    case Action::make_empty:
      return there.values.kind == Kind::file && there.values.size == 0;
    case Action::make_link:
      return there.values.kind == Kind::symlink && there.target == state_.rows.view(row).target;
    case Action::make_directory:
      return there.values.kind == Kind::directory;
    default:
      return false;
  }
}

// One name of several is left out: putting another of them onto it would do nothing (rename(2)).
bool DirectoryMoves::can_replace(RowIndex row, EntryIndex entry) const {
  const Kind kind = state_.mirror.kind(entry);
  return state_.pending[row].action != Action::left_out && kind == state_.rows.kind(row) &&
         kind != Kind::directory && !state_.mirror_has(entry, kFlagLinks);
}

bool DirectoryMoves::compare(RowIndex row, EntryIndex entry) {
  // Below a directory that gets other letters everything would be late if it had to be made anew.
  if (state_.has(row, is_twin_ ? kReplaces : kLate)) return false;
  if (is_same(row, entry)) {
    comparison_.same.push_back({row, entry});
    return true;
  }
  comparison_.replaced.push_back({row, entry});
  return may_differ_ && can_replace(row, entry);
}

// Both are sorted by name.
bool DirectoryMoves::compare_directory(DirectoryIndex from, std::string_view to, std::uint64_t device) {
  const Snapshot::Range entries = state_.mirror.rows(from);
  if (entries.first == entries.last) return true;
  const auto counterpart = state_.rows.find_directory(to);
  const Snapshot::Range rows = counterpart ? state_.rows.rows(*counterpart) : Snapshot::Range{};
  RowIndex row = rows.first;
  for (EntryIndex entry = entries.first; entry < entries.last; ++entry) {
    const bool is_directory = state_.mirror.kind(entry) == Kind::directory;
    if (!state_.is_gone(entry) || state_.mirror.view(entry, from).device != device) return false;
    if (is_directory && state_.mirror_has(entry, kMoved)) continue;  // it moved away before
    const std::string_view name = state_.mirror.name(entry);
    while (row < rows.last && state_.rows.name(row) < name)
      ++row;
    if (row < rows.last && state_.rows.name(row) == name) {
      if (!compare(row, entry)) return false;
    } else {
      ++comparison_.extra;
      if (!may_differ_ || is_in_the_way(entry, rows)) return false;
    }
  }
  return true;
}

bool DirectoryMoves::compare_below(const std::string& from, const std::string& to, std::uint64_t device) {
  comparison_ = {};
  const auto first = state_.mirror.find_directory(from);
  if (!first) return true;
  std::optional<std::string> away;
  for (DirectoryIndex i = *first; i < state_.mirror.directories(); ++i) {
    const std::string_view location = state_.mirror.location(i);
    if (!is_at_or_below(location, from)) break;
    if (away && is_at_or_below(location, *away)) continue;
    away.reset();
    if (location != from && state_.mirror_has(*state_.mirror.find(split(location)), kMoved)) {
      away = location;
      continue;
    }
    if (!compare_directory(i, to + std::string(location.substr(from.size())), device)) return false;
  }
  return is_twin_ || comparison_.is_likeness();
}

// Of a mirror that folds case: it has the name of a row in other letters, and would come along only to be
// removed.
bool DirectoryMoves::is_in_the_way(EntryIndex entry, Snapshot::Range rows) {
  if (state_.options.attributes.case_sensitive || rows.first == rows.last) return false;
  if (folded_first_ != rows.first) {
    folded_first_ = rows.first;
    folded_names_.clear();
    for (RowIndex row = rows.first; row < rows.last; ++row)
      folded_names_.insert(fold_widely(state_.rows.name(row)));
  }
  return folded_names_.contains(fold_widely(state_.mirror.name(entry)));
}

// Whoever was to take the entry away has to copy it: it belongs to the place that it moves to.
void DirectoryMoves::keep_content_for_others(const Pair& pair) {
  const auto taker = std::ranges::lower_bound(by_entry_, pair.entry, {}, &Pair::entry);
  if (taker == by_entry_.end() || taker->entry != pair.entry || taker->row == pair.row) return;
  Pending& pending = state_.pending[taker->row];
  if (pending.action == Action::rename && pending.from == pair.entry) pending.action = Action::copy;
}

void DirectoryMoves::apply(RowIndex row, EntryIndex directory) {
  state_.pending[row].action = Action::move_directory;
  state_.pending[row].from = directory;
  state_.set_mirror_flag(directory, kMoved);
  for (const Pair& pair : comparison_.same) {
    keep_content_for_others(pair);
    Pending& pending = state_.pending[pair.row];
    pending.action = Action::moved;
    pending.from = pair.entry;
    state_.set_mirror_flag(pair.entry, kMoved);
    const Attributes& attributes = state_.options.attributes;
    const bool same = project(state_.rows.view(pair.row).values, attributes) ==
                      project(state_.mirror.view(pair.entry).values, attributes);
    pending.facts = static_cast<Facts>((pending.facts & ~kMetaSame) | (same ? kMetaSame : 0));
  }
  // From here on these are what the mirror has at those paths.
  for (const Pair& pair : comparison_.replaced) {
    keep_content_for_others(pair);
    state_.clear_mirror_flag(pair.entry, kMoved);
    state_.set_mirror_flag(pair.entry, kStays);
    state_.rows.set_tag(pair.row, pair.entry);
    state_.brought.emplace(pair.entry, pair.row);
  }
}

bool DirectoryMoves::try_candidate(RowIndex row, const std::string& path, EntryIndex from) {
  const Snapshot::View old = state_.mirror.view(from);
  if (!may_move(from, state_.rows.view(row)) || !compare_below(join(old.path()), path, old.device))
    return false;
  apply(row, from);
  return true;
}

void DirectoryMoves::try_row(RowIndex row, const Snapshot::View& view) {
  const std::string path = join(view.path());
  const auto directory = state_.rows.find_directory(path);
  if (!directory) return;
  std::vector<EntryIndex> tried;
  auto renamed = std::ranges::lower_bound(renames_, state_.rows.rows(*directory).first, {}, &Pair::row);
  for (std::size_t i = 0; i < kCandidatesMax && renamed != renames_.end(); ++i, ++renamed) {
    if (!is_at_or_below(state_.rows.view(renamed->row).location, path)) return;
    if (state_.pending[renamed->row].action != Action::rename) continue;
    const auto from = candidate(path, renamed->row);
    if (!from || std::ranges::find(tried, *from) != tried.end()) continue;
    if (try_candidate(row, path, *from)) return;
    tried.push_back(*from);
  }
}

// A directory that changes only the case of its name, on a mirror that folds case.
void DirectoryMoves::try_twin(RowIndex row, const Snapshot::View& view) {
  const auto parent = state_.directory_row(view.location);
  if (!parent || state_.has(*parent, kLate)) return;
  const std::string path = join(view.path());
  is_twin_ = true;
  if (try_candidate(row, path, state_.entry_at(row))) resolve_twin(row, path);
  is_twin_ = false;
}

// Nothing has to be made anew in it.
void DirectoryMoves::resolve_twin(RowIndex row, const std::string& path) {
  const auto clear = [this](RowIndex one, unsigned facts) {
    state_.pending[one].facts = static_cast<Facts>(state_.pending[one].facts & ~facts);
  };
  clear(row, kReplaces | kTwin | kLate);
  state_.rows.set_tag(row, kNoEntry);
  const auto first = state_.rows.find_directory(path);
  if (!first) return;
  for (DirectoryIndex i = *first; i < state_.rows.directories(); ++i) {
    if (!is_at_or_below(state_.rows.location(i), path)) return;
    const Snapshot::Range rows = state_.rows.rows(i);
    for (RowIndex below = rows.first; below < rows.last; ++below)
      clear(below, kLate);
  }
}

void DirectoryMoves::run() {
  collect();
  if (!state_.options.attributes.case_sensitive) {
    for (RowWalk walk(state_.rows); !walk.done(); walk.next()) {
      const RowIndex row = walk.row();
      if (state_.has(row, kTwin) && state_.pending[row].action == Action::make_directory)
        try_twin(row, walk.view());
    }
  }
  if (renames_.empty()) return;
  for (RowWalk walk(state_.rows); !walk.done(); walk.next()) {
    const RowIndex row = walk.row();
    if (state_.pending[row].action == Action::make_directory && !state_.has(row, kLate) &&
        state_.entry_at(row) == kNoEntry) {
      try_row(row, walk.view());
    }
  }
}

}  // namespace

void move_directories(State& state) {
  if (state.deletes_allowed()) DirectoryMoves(state).run();
}

}  // namespace ssync::planner
