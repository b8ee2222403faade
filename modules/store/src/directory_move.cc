#include "directory_move.h"

#include <utility>

namespace ssync::store {

void Remade::add(std::string_view name, const Seen& before, const Seen& now) {
  if (fs::same_inode(before, now)) return;
  entries_[{before.device, before.inode, std::string(name)}] = {now.device, now.inode};
}

void Remade::follow(std::string_view name, std::optional<Seen>& seen) const {
  if (!seen || entries_.empty()) return;
  const auto found = entries_.find({seen->device, seen->inode, std::string(name)});
  if (found == entries_.end()) return;
  seen->device = found->second.device;
  seen->inode = found->second.inode;
}

Result<void> DirectoryMove::rename(Placing& placing, PathView from, PathView to, const fs::Stat& directory) {
  SSYNC_TRY(fs::Directory* const old_parent,
            named("open directory", placing.directories().open(from.location)));
  SSYNC_TRY(fs::Directory* const parent, named("open directory", placing.directories().open(to.location)));
  Result<void> moved = placing.move(*old_parent, from.name, *parent, to.name, std::nullopt);
  const std::uint16_t mode = directory.seen.values.mode;
  if (!moved && moved.error().code == Errc::permission && (mode & 0200U) == 0) {
    // Its ".." entry changes too.
    SSYNC_TRY_VOID(named("set mode", old_parent->set_mode(from.name, mode | 0700U)));
    moved = placing.move(*old_parent, from.name, *parent, to.name, std::nullopt);
  }
  placing.directories().clear();  // locations of handles below it are wrong by now
  return moved;
}

Result<void> DirectoryMove::run(const std::string& from, const std::string& to) {
  first_failure_ = {};
  left_.clear();
  pending_.assign(1, {from, to});
  SSYNC_TRY_VOID(make(pending_.back()));
  while (!pending_.empty()) {
    const Pair directory = std::move(pending_.back());
    pending_.pop_back();
    left_.push_back(directory.from);
    note(move_contents(directory));
  }
  note(name_copies_());
  for (; !left_.empty(); left_.pop_back()) {
    const PathView path = split(left_.back());
    placing_.directories().forget(left_.back());
    note([&]() -> Result<void> {
      SSYNC_TRY(fs::Directory* const parent, open(path.location));
      return named("remove directory",
                   with_writable(*parent, [&] { return parent->remove_directory(path.name); }));
    }());
  }
  return std::move(first_failure_);
}

Result<void> DirectoryMove::make(const Pair& directory) {
  const PathView from = split(directory.from);
  const PathView to = split(directory.to);
  SSYNC_TRY(fs::Directory* const old_parent, open(from.location));
  SSYNC_TRY(const fs::Stat before, named("stat", old_parent->stat(from.name)));
  SSYNC_TRY(fs::Directory* const parent, open(to.location));
  SSYNC_TRY_VOID(named("make directory", with_writable(*parent, [&] {
                         return parent->make_directory(to.name, before.seen.values.mode & 0777U);
                       })));
  return remember(from.name, before, to);
}

Result<void> DirectoryMove::move_contents(const Pair& directory) {
  fs::NameList names;
  SSYNC_TRY(fs::Directory* const from, open(directory.from));
  SSYNC_TRY_VOID(named("list", from->list(names)));
  for (std::size_t i = 0; i < names.size(); ++i)
    note(move_entry(directory, names[i]));
  return {};
}

Result<void> DirectoryMove::move_entry(const Pair& directory, std::string_view name) {
  const PathView from{directory.from, name};
  const PathView to{directory.to, name};
  SSYNC_TRY(fs::Directory* const old_parent, open(from.location));
  SSYNC_TRY(const fs::Stat before, named("stat", old_parent->stat(name)));
  const bool is_directory = before.type == fs::Stat::Type::directory;
  Result<void> moved;
  if (is_directory) {
    moved = rename(placing_, from, to, before);
  } else {
    SSYNC_TRY(fs::Directory* const parent, open(to.location));
    moved = placing_.move(*old_parent, name, *parent, name, std::nullopt);
  }
  if (moved) return remember(name, before, to);
  if (moved.error().code != Errc::cross_device) return moved;
  if (is_directory) {
    pending_.push_back({join(from), join(to)});
    Result<void> made = make(pending_.back());
    if (!made) pending_.pop_back();
    return made;
  }
  if (before.type == fs::Stat::Type::symlink) return move_link(from, to, before);
  // A special entry cannot be made anew, and is not mirrored: it is an extra, or there is one in the source
  // that the mirror may lack.
  if (before.type != fs::Stat::Type::file) {
    return named("remove", with_writable(*old_parent, [&] { return old_parent->remove(name); }));
  }
  Change change;
  change.step = Change::Rename{.from = {std::string(from.location), std::string(from.name), before.seen}};
  change.location = to.location;
  change.name = to.name;
  change.wanted = before.seen.values;
  return copy_file_(std::move(change));
}

Result<void> DirectoryMove::move_link(PathView from, PathView to, const fs::Stat& link) {
  SSYNC_TRY(fs::Directory* const old_parent, open(from.location));
  SSYNC_TRY(const std::string target, named("read the link", old_parent->read_link(from.name)));
  SSYNC_TRY(fs::Directory* const parent, open(to.location));
  SSYNC_TRY_VOID(
      named("make link", with_writable(*parent, [&] { return parent->make_link(to.name, target); })));
  SSYNC_TRY(const fs::Stat made, named("stat", parent->stat(to.name)));
  SSYNC_TRY_VOID(adjust_attributes(*parent, to.name, link.seen.values, made, placing_.rules().attributes));
  remade_.add(from.name, link.seen, made.seen);
  return named("remove", with_writable(*old_parent, [&] { return old_parent->remove(from.name); }));
}

/// Remembers what an entry became, also if it was only renamed: overlayfs may copy it into another layer,
/// where it has another inode number.
Result<void> DirectoryMove::remember(std::string_view name, const fs::Stat& before, PathView to) {
  SSYNC_TRY(fs::Directory* const parent, open(to.location));
  SSYNC_TRY(const fs::Stat now, named("stat", parent->stat(to.name)));
  remade_.add(name, before.seen, now.seen);
  return {};
}

Result<fs::Directory*> DirectoryMove::open(std::string_view location) {
  return named("open directory", placing_.directories().open(location));
}

void DirectoryMove::note(Result<void> result) {
  if (!result && first_failure_) first_failure_ = std::move(result);
}

}  // namespace ssync::store
