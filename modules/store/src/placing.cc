#include "ssync/store/placing.h"

#include <unistd.h>

#include <utility>

namespace ssync::store {
void OtherDevices::add(std::string_view location) {
  const MutexLock lock(mutex_);
  locations_.emplace(location);
  any_.store(true, std::memory_order_release);
}

bool OtherDevices::contains(std::string_view location) const {
  if (!any_.load(std::memory_order_acquire)) return false;
  const MutexLock lock(mutex_);
  return locations_.contains(std::string(location));
}

Result<fs::Directory*> Placing::staging() {
  if (!staging_directory_) {
    SSYNC_TRY(staging_directory_, named("open the staging directory", staging_.open()));
  }
  return staging_directory_.get();
}

template <typename Use>
auto Placing::in_staging(Use use) -> decltype(use(std::declval<fs::Directory&>())) {
  for (bool again = false;; again = true) {
    SSYNC_TRY(fs::Directory* const directory, staging());
    auto result = use(*directory);
    if (result || again || result.error().code != Errc::not_found) return result;
    staging_directory_.reset();
  }
}

Result<NewFile> Placing::create(std::string_view location, const Values& wanted) {
  if (other_devices_.contains(location)) return create_beside(location, wanted);
  return in_staging([&](fs::Directory& directory) {
    return create_in(directory, {staging_.next_slot(), false}, wanted, group_in(location));
  });
}

/// The group that a new entry in `location` must get; nullopt: it has the right one anyway.
std::optional<std::uint32_t> Placing::group_in(std::string_view location) {
  if (rules_.attributes.owner) return std::nullopt;
  if (group_ && group_location_ == location) return *group_;
  const auto self = directories_.open(location).and_then([](fs::Directory* at) { return at->stat_self(); });
  group_location_ = location;
  group_.emplace();
  if (self && self->seen.values.owner.gid != ::getegid()) *group_ = self->seen.values.owner.gid;
  return *group_;
}

void Placing::give_group(fs::Directory& directory, std::string_view location, std::string_view name,
                         Came came) {
  if (rules_.attributes.owner) return;
  const std::optional<std::uint32_t> other = group_in(location);
  if (!other && came == Came::made) return;
  const std::uint32_t group = other.value_or(::getegid());
  const Result<fs::Stat> now = directory.stat(name);
  if (!now || now->seen.values.owner.gid == group || now->seen.values.owner.uid != ::geteuid()) return;
  // Best effort: a group that this process is no member of is not its to give.
  if (!directory.set_owner(name, {now->seen.values.owner.uid, group})) return;
  const std::uint16_t mode = now->seen.values.mode;
  if (now->type == fs::Stat::Type::file && (mode & 06000U) != 0)
    static_cast<void>(directory.set_mode(name, mode));  // chown took it away
}

Result<NewFile> Placing::create_beside(std::string_view location, const Values& wanted) {
  return with_directory(directories_, location, [&](fs::Directory& directory) {
    return with_writable(directory, [&] {
      return create_in(directory, Staged{staging_.next_name_beside(), true}, wanted, group_in(location));
    });
  });
}

Result<NewFile> Placing::create_in(fs::Directory& directory, Staged at, const Values& wanted,
                                   std::optional<std::uint32_t> group) {
  // Where owners are set, the first new file in the staging directory tells which owner all of them have; of
  // a file beside its target this is asked each time, as a setgid directory may decide it.
  const bool owner_known = !rules_.attributes.owner || (!at.beside && owner_of_new_files_);
  const bool owner_changes =
      rules_.attributes.owner &&
      (!owner_known || owner_to_set(wanted, *owner_of_new_files_, rules_.attributes).has_value());
  const CreateMode mode = create_mode(wanted, owner_changes || group, rules_.attributes);
  NewFile made;
  SSYNC_TRY(made.file, named("create", directory.create_file(at.slot, mode.mode)));
  made.at = std::move(at);
  made.mode_is_set = mode.is_final;
  if (group) {
    made.owner_to_set = Owner{::geteuid(), *group};
    made.owner_is_wish = true;
  }
  if (!rules_.attributes.owner) return made;
  if (!owner_known) {
    SSYNC_TRY(const fs::Stat stat, named("stat", made.file->stat()));
    made.owner_to_set = owner_to_set(wanted, stat.seen.values.owner, rules_.attributes);
    if (!made.at.beside) owner_of_new_files_ = stat.seen.values.owner;
  } else {
    made.owner_to_set = owner_to_set(wanted, *owner_of_new_files_, rules_.attributes);
  }
  return made;
}

Result<void> Placing::set_attributes(NewFile& file, const Values& wanted) {
  if (file.owner_is_wish) {
    const Result<void> given = file.file->set_owner(*std::exchange(file.owner_to_set, std::nullopt));
    static_cast<void>(given);  // best effort: it may be a group that this process is no member of
  }
  return set_final_attributes(*file.file, wanted, file.owner_to_set, file.mode_is_set, rules_.attributes);
}

Result<void> Placing::finish(NewFile& file, const Values& wanted) {
  SSYNC_TRY_VOID(set_attributes(file, wanted));
  file.file.reset();
  return {};
}

Result<Seen> Placing::finish_and_look(NewFile& file, const Values& wanted) {
  SSYNC_TRY_VOID(set_attributes(file, wanted));
  SSYNC_TRY(const fs::Stat stat, named("stat", file.file->stat()));
  file.file.reset();
  return stat.seen;
}

Result<Placing::NewDirectory> Placing::create_directory() {
  NewDirectory made{staging_.next_slot(), nullptr};
  SSYNC_TRY_VOID(in_staging([&](fs::Directory& directory) -> Result<void> {
    SSYNC_TRY_VOID(named("make directory", directory.make_directory(made.slot, 0700)));
    SSYNC_TRY(made.directory, named("open directory", directory.open_child(made.slot)));
    return {};
  }));
  return made;
}

Result<void> Placing::move_into_staged(const Staged& staged, fs::Directory& directory,
                                       std::string_view name) {
  SSYNC_TRY(fs::Directory* const from, staging());
  return named("rename", from->rename(staged.slot, directory, name, fs::Replace::no));
}

Result<void> Placing::place_directory(const std::string& slot, std::string_view location) {
  const PathView path = split(location);
  return with_directory(directories_, path.location, [&](fs::Directory& parent) -> Result<void> {
    SSYNC_TRY(fs::Directory* const from, staging());
    SSYNC_TRY_VOID(take_after(*from, slot, parent, path.name));
    return named("rename", with_writable(parent, [&] {
                   return from->rename(slot, parent, path.name, fs::Replace::yes);
                 }));
  });
}

/// Gives the staged directory mode and owner of the one that it replaces, so that whoever could look into
/// that one still can, and a group that was handed down stays. Its final ones come at the end of the sync.
Result<void> Placing::take_after(fs::Directory& staging, const std::string& slot, fs::Directory& parent,
                                 std::string_view name) {
  SSYNC_TRY(const fs::Stat there, named("stat", parent.stat(name)));
  SSYNC_TRY(const fs::Stat here, named("stat", staging.stat(slot)));
  const Owner owner = there.seen.values.owner;
  if (owner != here.seen.values.owner) {
    const Result<void> given = staging.set_owner(slot, owner);
    static_cast<void>(given);  // best effort, as it is what an ordinary user may not do
  }
  return named("set mode",
               staging.set_mode(slot, static_cast<std::uint16_t>(there.seen.values.mode | 0700U)));
}

Result<std::unique_ptr<fs::Directory>> Placing::open_staged(const std::string& slot) {
  SSYNC_TRY(fs::Directory* const directory, staging());
  return directory->open_child(slot);
}

void Placing::drop_directory(const std::string& slot) noexcept {
  // Best effort: what stays in the staging directory goes with it.
  if (const Result<fs::Directory*> directory = staging(); directory) {
    const Result<void> removed = (*directory)->remove_directory(slot);
    static_cast<void>(removed);
  }
}

Result<Staged> Placing::create_link(std::string_view target) {
  Staged at{staging_.next_slot(), false};
  SSYNC_TRY_VOID(in_staging(
      [&](fs::Directory& directory) { return named("create", directory.make_link(at.slot, target)); }));
  return at;
}

Result<NewFile> Placing::create_at(fs::Directory& directory, std::string_view location, std::string_view name,
                                   const Values& wanted) {
  return with_writable(directory, [&] {
    return create_in(directory, {std::string(name), true}, wanted, group_in(location));
  });
}

Result<void> Placing::move(fs::Directory& from, std::string_view from_name, fs::Directory& to,
                           std::string_view name, const std::optional<Seen>& at_path) {
  fs::Replace replace = fs::Replace::no;
  if (at_path) {
    const Result<fs::Stat> now = to.stat(name);
    if (now && !same_entry(*at_path, now->seen, rules_.stable_inodes)) return changed_meanwhile();
    if (!now && now.error().code != Errc::not_found) return named("stat", Result<void>(fail(now.error())));
    // What was there is gone by now: then the path is filled, as nothing can be lost.
    if (now) replace = fs::Replace::yes;
  }
  const auto rename = [&] { return from.rename(from_name, to, name, replace); };
  Result<void> renamed = with_writable(to, [&] { return with_writable(from, rename); });
  if (!renamed && renamed.error().code == Errc::already_exists) {
    SSYNC_TRY(const bool is_case_alone, is_one_entry(from, from_name, to, name));
    if (is_case_alone) return respell(to, from_name, name);
    return taken_on_mirror();
  }
  return named("rename", std::move(renamed));
}

/// Whether what stands in the way is the entry itself, under its old name (where case is folded).
Result<bool> Placing::is_one_entry(fs::Directory& from, std::string_view name, fs::Directory& to,
                                   std::string_view new_name) const {
  SSYNC_TRY(const fs::Stat old_directory, named("stat", from.stat_self()));
  SSYNC_TRY(const fs::Stat new_directory, named("stat", to.stat_self()));
  if (!fs::same_inode(old_directory.seen, new_directory.seen)) return false;
  SSYNC_TRY(const fs::Stat old_entry, named("stat", from.stat(name)));
  SSYNC_TRY(const fs::Stat new_entry, named("stat", to.stat(new_name)));
  if (old_entry.type != fs::Stat::Type::directory && old_entry.seen.links > 1) return false;
  return same_entry(old_entry.seen, new_entry.seen, rules_.stable_inodes);
}

Result<void> Placing::respell(fs::Directory& directory, std::string_view name, std::string_view new_name) {
  return with_writable(directory, [&]() -> Result<void> {
    Result<Staged> aside = take(directory, name);
    if (!aside && aside.error().code == Errc::cross_device) {
      aside = Staged{staging_.next_name_beside(), true};
      SSYNC_TRY_VOID(named("rename", directory.rename(name, directory, aside->slot, fs::Replace::no)));
    }
    if (!aside) return fail(aside.error());
    fs::Directory* from = &directory;
    if (!aside->beside) {
      SSYNC_TRY(from, staging());
    }
    Result<void> placed = from->rename(aside->slot, directory, new_name, fs::Replace::no);
    if (placed) return placed;
    const Result<void> put_back = from->rename(aside->slot, directory, name, fs::Replace::no);
    static_cast<void>(put_back);  // best effort: what failed first is told
    return named("rename", std::move(placed));
  });
}

Result<void> Placing::publish(const Staged& staged, PathView path, const std::optional<Seen>& at_path) {
  const auto place = [&](const Staged& at) {
    return with_directory(directories_, path.location, [&](fs::Directory& directory) -> Result<void> {
      fs::Directory* from = &directory;
      if (!at.beside) {
        SSYNC_TRY(from, staging());
      }
      return move(*from, at.slot, directory, path.name, at_path);
    });
  };
  Result<void> placed = place(staged);
  if (placed || placed.error().code != Errc::cross_device || staged.beside) return placed;

  other_devices_.add(path.location);
  SSYNC_TRY(const Staged beside, copy_beside(staged, path.location));
  placed = place(beside);
  if (!placed) drop(beside, path.location);
  if (placed) drop(staged, path.location);
  return placed;
}

Result<Staged> Placing::copy_beside(const Staged& staged, std::string_view location) {
  SSYNC_TRY(fs::Directory* const directory, staging());
  SSYNC_TRY(const fs::Stat stat, named("stat", directory->stat(staged.slot)));
  const Values& values = stat.seen.values;
  if (stat.type == fs::Stat::Type::symlink) {
    SSYNC_TRY(const std::string target, named("read the link", directory->read_link(staged.slot)));
    SSYNC_TRY(fs::Directory* const to, directories_.open(location));
    Staged at = Staged{staging_.next_name_beside(), true};
    SSYNC_TRY_VOID(named("create", with_writable(*to, [&] { return to->make_link(at.slot, target); })));
    SSYNC_TRY(const fs::Stat made, named("stat", to->stat(at.slot)));
    SSYNC_TRY_VOID(adjust_attributes(*to, at.slot, values, made, rules_.attributes));
    return at;
  }
  SSYNC_TRY(NewFile copy, create_beside(location, values));
  const Result<void> filled = [&]() -> Result<void> {
    SSYNC_TRY(const auto content, named("open", directory->open_file(staged.slot)));
    SSYNC_TRY_VOID(named("copy", copy.file->copy_content(*content, {})));
    return finish(copy, values);
  }();
  if (!filled) {
    drop(copy.at, location);
    return fail(filled.error());
  }
  return copy.at;
}

Result<Staged> Placing::take(fs::Directory& directory, std::string_view name) {
  Staged at{staging_.next_slot(), false};
  SSYNC_TRY(fs::Directory* const into, staging());
  SSYNC_TRY_VOID(named("rename", with_writable(directory, [&] {
                         return directory.rename(name, *into, at.slot, fs::Replace::no);
                       })));
  return at;
}

void Placing::drop(const Staged& staged, std::string_view location) noexcept {
  // Best effort: what stays in the staging directory goes with it.
  const Result<fs::Directory*> directory = staged.beside ? directories_.open(location) : staging();
  if (!directory) return;
  const Result<void> removed = (*directory)->remove(staged.slot);
  static_cast<void>(removed);
}

void Placing::close_directories() {
  directories_.clear();
  staging_directory_.reset();
}

}  // namespace ssync::store
