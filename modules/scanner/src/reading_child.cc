#include <limits>
#include <utility>

#include <fmt/format.h>

#include "ssync/fs/same.h"
#include "ssync/model/path.h"

#include "reading.h"
#include "special_mounts.h"

namespace ssync::scanner {
namespace {

bool holds_only_state(const fs::NameList& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!index::is_state_file_name(names[i])) return false;
  }
  return names.size() > 0;
}

}  // namespace

bool Walk::Reading::is_boundary(const fs::Stat& stat) const {
  return stat.mount_point || stat.seen.device != device;
}

// An empty mount point where a disk was is no reason to empty the mirror. Device numbers differ from boot to
// boot, and records are not all of one boot, so what counts is the boundary itself, as it was when both the
// directory and the one above it were looked at.
bool Walk::Reading::lost_mount(const fs::Stat& stat, const Known& known) const {
  return rules.role == index::Role::source && !walk.options_.accept_lost_mounts &&
         known.found == Known::Found::yes && known.record.boundary && !is_boundary(stat);
}

// A name that comes or goes moves the directory's ctime, where that means anything and if it is not so young
// that a later change could give it the same.
bool Walk::Reading::may_keep_names(const fs::Stat& stat) const {
  return walk.options_.believe_names && rules.stable.names && rules.stable.inodes && rules.stable.ctime &&
         !stat.mount_point && !fs::is_racy(stat.seen.ctime, rules.clock);
}

// How many names the directory has, if they are those that the base has of it at `path`. What the log says of
// a directory was not seen together with its names.
std::optional<std::uint32_t> Walk::Reading::names_of(const index::Record& record,
                                                     const index::Index::Cursor& of, const fs::Stat& stat,
                                                     PathView path) const {
  const bool same = record.names && of.is_of_base() && may_keep_names(stat) &&
                    record.held.device == stat.seen.device &&
                    same_stat(record.held, stat.seen, rules.stable) &&
                    walk.index_.rows_in_base(join(path)) == *record.names;
  return same ? record.names : std::nullopt;
}

/// How many names were listed, if the directory that was opened is the one that the stat was taken of, and
/// nothing came or went in between.
std::optional<std::uint32_t> Walk::Reading::listed_names(const fs::Stat& stat, fs::Directory& opened,
                                                         std::size_t count) const {
  if (!may_keep_names(stat) || count >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  const Result<fs::Stat> now = opened.stat_self();
  const bool same = now && fs::same_inode(now->seen, stat.seen) && now->seen.ctime == stat.seen.ctime;
  return same ? std::optional(static_cast<std::uint32_t>(count)) : std::nullopt;
}

// Opens it, and lists it unless its names are known: see Child. `names`: for its record.
Result<void> Walk::Reading::find_child(std::string_view name, const fs::Stat& stat, const Known& known,
                                       std::optional<std::uint32_t>& names) {
  const std::optional<fs::DirectoryId>& other = walk.options_.other_root;
  if (other && *other == fs::DirectoryId{stat.seen.device, stat.seen.inode}) {
    finding->error =
        Error{Errc::refused,
              fmt::format("'{}' is the root of the other end, by way of a mount: unmount it, or choose "
                          "directories that are apart",
                          printable({task.location, name})),
              0};
    return {};
  }
  const bool mount_point = stat.mount_point;
  Child child{.name = std::string(name), .stable = rules.stable, .device = stat.seen.device};
  if (known.found == Known::Found::yes) {
    child.known_names = names_of(known.record, *cursor, stat, {task.location, name});
  }
  index::Record before;
  if (known.found == Known::Found::no && was_here_before(name, stat.seen, before)) {
    child.was_at = join({*task.child.was_at, name});
    child.known_names = names_of(before, *cursor_before, stat, {*task.child.was_at, name});
  }
  if (mount_point && walk.options_.one_file_system) {
    child.descend = false;
    finding->children.push_back(std::move(child));
    return {};
  }
  SSYNC_TRY(std::unique_ptr<fs::Directory> opened, directory->open_child(name));
  if (mount_point) {
    SSYNC_TRY(const fs::Volume volume, opened->volume());
    child.stable = fs::stable_of(volume);
    child.descend = !is_special_file_system(volume.type);
  }
  if (child.descend) {
    names = child.known_names;
    if (!names) {
      auto listed = std::make_unique<fs::NameList>();
      SSYNC_TRY_VOID(opened->list(*listed));
      if (holds_only_state(*listed)) {
        finding->block.holds_own = true;
        return fail(Errc::not_found, "a directory with nothing but state files is no part of the tree");
      }
      names = listed_names(stat, *opened, listed->size());
      if (walk.names_.take(listed->size())) child.names = std::move(listed);
    }
    if (walk.handles_.take(1)) child.handle = std::move(opened);
  }
  finding->children.push_back(std::move(child));
  return {};
}

}  // namespace ssync::scanner
