#include "move_directories.h"

#include <string>

namespace ssync::planner {
namespace {

class DirectoryMoves {
 public:
  explicit DirectoryMoves(State& state) : state_(state) {}
  void run();

 private:
  struct Match {
    RowIndex row = kNoIndex;
    EntryIndex entry = kNoEntry;
  };

  void collect();
  void try_row(RowIndex row, const Snapshot::View& view);
  [[nodiscard]] RowIndex first_rename_below(const std::string& path) const;
  [[nodiscard]] std::optional<EntryIndex> candidate(const std::string& path, RowIndex renamed) const;
  [[nodiscard]] bool may_move(EntryIndex directory, const Snapshot::View& to) const;
  [[nodiscard]] std::uint64_t device_above(std::string_view location) const;
  [[nodiscard]] bool match_below(const std::string& from, const std::string& to, std::uint64_t device);
  [[nodiscard]] bool match_directory(DirectoryIndex from, std::string_view to, std::uint64_t device);
  [[nodiscard]] bool is_match(RowIndex row, EntryIndex entry, std::uint64_t device) const;
  void apply(RowIndex row, EntryIndex directory);

  State& state_;
  std::vector<RowIndex> renames_;       // ascending
  std::vector<EntryIndex> copied_from_;  // ascending
  std::vector<Match> matches_;
};

void DirectoryMoves::collect() {
  for (RowIndex row = 0; row < state_.pending.size(); ++row) {
    const Pending& pending = state_.pending[row];
    if (pending.action == Action::rename) renames_.push_back(row);
    if (pending.action == Action::copy) copied_from_.push_back(pending.from);
  }
  std::ranges::sort(copied_from_);
}

// The first row at or below a directory whose file comes from somewhere else; kNoIndex: there is none.
RowIndex DirectoryMoves::first_rename_below(const std::string& path) const {
  const auto first = state_.rows.find_directory(path);
  if (!first) return kNoIndex;
  const auto rename = std::ranges::lower_bound(renames_, state_.rows.rows(*first).first);
  if (rename == renames_.end() || !is_at_or_below(state_.rows.view(*rename).location, path)) return kNoIndex;
  return *rename;
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

bool DirectoryMoves::is_match(RowIndex row, EntryIndex entry, std::uint64_t device) const {
  const Pending& pending = state_.pending[row];
  if (state_.has(row, kLate) || !state_.is_gone(entry)) return false;
  const Snapshot::View there = state_.mirror.view(entry);
  if (there.device != device) return false;
  switch (pending.action) {
    case Action::rename:
      return pending.from == entry && !std::ranges::binary_search(copied_from_, entry);
    case Action::make_empty:
      return there.values.kind == Kind::file && there.values.size == 0 &&
             !std::ranges::binary_search(copied_from_, entry);
    case Action::make_link:
      return there.values.kind == Kind::symlink && there.target == state_.rows.view(row).target;
    case Action::make_directory:
      return there.values.kind == Kind::directory && !state_.mirror_has(entry, kMoved);
    default:
      return false;
  }
}

// Every entry of a directory has its row in the new one. Both are sorted by name.
bool DirectoryMoves::match_directory(DirectoryIndex from, std::string_view to, std::uint64_t device) {
  const Snapshot::Range entries = state_.mirror.rows(from);
  if (entries.first == entries.last) return true;
  const auto counterpart = state_.rows.find_directory(to);
  if (!counterpart) return false;
  const Snapshot::Range rows = state_.rows.rows(*counterpart);
  RowIndex row = rows.first;
  for (EntryIndex entry = entries.first; entry < entries.last; ++entry, ++row) {
    const std::string_view name = state_.mirror.name(entry);
    while (row < rows.last && state_.rows.name(row) < name)
      ++row;
    if (row == rows.last || state_.rows.name(row) != name || !is_match(row, entry, device)) return false;
    matches_.push_back({row, entry});
  }
  return true;
}

bool DirectoryMoves::match_below(const std::string& from, const std::string& to, std::uint64_t device) {
  const auto first = state_.mirror.find_directory(from);
  if (!first) return true;
  for (DirectoryIndex i = *first; i < state_.mirror.directories(); ++i) {
    const std::string_view location = state_.mirror.location(i);
    if (!is_at_or_below(location, from)) return true;
    if (!match_directory(i, to + std::string(location.substr(from.size())), device)) return false;
  }
  return true;
}

void DirectoryMoves::apply(RowIndex row, EntryIndex directory) {
  state_.pending[row].action = Action::move_directory;
  state_.pending[row].from = directory;
  state_.set_mirror_flag(directory, kMoved);
  for (const Match& match : matches_) {
    Pending& pending = state_.pending[match.row];
    pending.action = Action::moved;
    pending.from = match.entry;
    state_.set_mirror_flag(match.entry, kMoved);
    const Attributes& attributes = state_.options.attributes;
    const bool same = project(state_.rows.view(match.row).values, attributes) ==
                      project(state_.mirror.view(match.entry).values, attributes);
    pending.facts = static_cast<std::uint8_t>((pending.facts & ~kMetaSame) | (same ? kMetaSame : 0));
  }
}

void DirectoryMoves::try_row(RowIndex row, const Snapshot::View& view) {
  const std::string path = join(view.path());
  const RowIndex renamed = first_rename_below(path);
  if (renamed == kNoIndex) return;
  const auto from = candidate(path, renamed);
  if (!from || !may_move(*from, view)) return;
  const Snapshot::View old = state_.mirror.view(*from);
  matches_.clear();
  if (match_below(join(old.path()), path, old.device)) apply(row, *from);
}

void DirectoryMoves::run() {
  collect();
  if (renames_.empty()) return;
  for (Walk walk(state_.rows); !walk.done(); walk.next()) {
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
