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
  return rules.role == index::Role::source && !walk.options_.accept_missing_mounts &&
         known.found == Known::Found::yes && known.record.boundary && !is_boundary(stat);
}

FoundDirectory Walk::Reading::found_directory(const fs::Stat& stat) const {
  return {.stat = stat, .stable = rules.stable, .clock = rules.clock};
}

bool Walk::Reading::is_other_root(std::string_view name, const fs::Stat& stat) {
  const std::optional<fs::DirectoryId>& other = walk.options_.other_root;
  if (!other || *other != fs::DirectoryId{stat.seen.device, stat.seen.inode}) return false;
  finding->error =
      Error{Errc::refused,
            fmt::format("'{}' is the root of the other end, by way of a mount: unmount it, or choose "
                        "directories that are apart",
                        printable({task.location, name})),
            0};
  return true;
}

// With the names that may be believed, if any: of its record, or of the one at the path that it had.
Child Walk::Reading::child_of(std::string_view name, const fs::Stat& stat, const Known& known) {
  Child child{.name = std::string(name), .stable = rules.stable, .device = stat.seen.device};
  const auto believe = [&](const index::Record& record, const index::Index::Cursor& of, PathView path) {
    child.known_names = walk.trust_.believed(found_directory(stat),
                                             {.record = record, .of_base = of.is_of_base(), .path = path});
  };
  index::Record before;
  if (known.found == Known::Found::yes) {
    believe(known.record, *cursor, {task.location, name});
  } else if (known.found == Known::Found::no && former.had(name, stat.seen, before)) {
    child.was_at = former.location_of(name);
    believe(before, *former.records(), split(*child.was_at));
  }
  return child;
}

// Adds the directory to those that were found: opened, and listed unless its names are known (see Child for
// why). `names`: how many it has, for its record.
Result<void> Walk::Reading::find_child(std::string_view name, const fs::Stat& stat, const Known& known,
                                       std::optional<std::uint32_t>& names) {
  if (is_other_root(name, stat)) return {};
  Child child = child_of(name, stat, known);
  SSYNC_TRY(std::unique_ptr<fs::Directory> opened, directory->open_child(name));
  if (stat.mount_point) {
    SSYNC_TRY(const fs::Volume volume, opened->volume());
    child.stable = fs::stable_of(volume);
    child.descend = !is_special_file_system(volume.type);
  }
  if (child.descend) {
    names = child.known_names;
    if (!names) {
      SSYNC_TRY(names, list_child(child, stat, *opened));
    }
    if (walk.handles_.take(1)) child.handle = std::move(opened);
  }
  finding->children.push_back(std::move(child));
  return {};
}

// How many names it has, if that may be remembered. Errc::not_found when it is no part of the tree.
Result<std::optional<std::uint32_t>> Walk::Reading::list_child(Child& child, const fs::Stat& stat,
                                                               fs::Directory& opened) {
  auto listed = std::make_unique<fs::NameList>();
  SSYNC_TRY_VOID(opened.list(*listed));
  if (holds_only_state(*listed)) {
    finding->block.holds_own = true;
    return fail(Errc::not_found, "a directory with nothing but state files is no part of the tree");
  }
  const std::optional<std::uint32_t> names =
      walk.trust_.to_remember(found_directory(stat), opened, listed->size());
  if (walk.names_.take(listed->size())) child.names = std::move(listed);
  return names;
}

}  // namespace ssync::scanner
