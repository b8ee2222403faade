#include "reading.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ssync/fs/staging.h"
#include "ssync/model/entry_rules.h"
#include "ssync/model/path.h"

namespace ssync::scanner {
namespace {

/// How many stats go by between two looks at whether the scan was stopped.
constexpr std::size_t kStopInterval = 256;

constexpr std::size_t kNameBytesUsual = 20;

std::size_t text_bytes(const Child& child) {
  return 64 + child.known_names.value_or(0) * kNameBytesUsual;
}

}  // namespace

Walk::Reading::Reading(Walk& walk_of, Task& task_of, Scratch& scratch_of)
    : walk(walk_of),
      task(task_of),
      scratch(scratch_of),
      is_root(task.location.empty()),
      storage(std::make_shared<BlockText>(text_bytes(task_of.child))),
      former(walk.index_, task.location, std::move(task.child.was_at)) {}

bool Walk::Reading::stopped() {
  return ++looked_at % kStopInterval == 0 && walk.frontier_.stopped();
}

void Walk::Reading::read() {
  rules.role = walk.options_.role;
  rules.first_contact = !walk.index_.exists();
  rules.stable = is_root ? walk.root_stable_ : task.child.stable;
  if (!open()) return;
  open_cursors();
  device = task.child.device;
  depth =
      is_root ? 0 : 1 + static_cast<std::size_t>(std::count(task.location.begin(), task.location.end(), '/'));
  scratch.records.clear();
  scratch.keep_record.clear();
  if (task.child.known_names) {
    rules.clock = walk.tree_.clock();
    if (look_at_known()) return hand_over_records();
    if (walk.frontier_.stopped()) return;
    start_over();
  }
  if (!list()) return;
  rules.clock = walk.tree_.clock();
  if (is_root) {
    if (Result<void> self = read_self(); !self)
      return end_by(std::move(self).error(), "reading the attributes");
  }
  if (look_at_listed()) hand_over_records();
}

void Walk::Reading::open_cursors() {
  cursor.emplace(walk.index_.directory(task.location));
  former.begin();
}

void Walk::Reading::expect(std::size_t count) {
  finding->block.entries.reserve(count);
  scratch.records.reserve(count);
}

// False: stopped.
bool Walk::Reading::look_at_listed() {
  const std::span<const std::string_view> names = sorted_names();
  expect(names.size());
  for (const std::string_view name : names) {
    if (stopped()) return false;
    if (is_ours(name)) continue;
    if (is_left_out(name)) {
      finding->block.holds_own = true;
    } else {
      static_cast<void>(look_at(name));
    }
  }
  return true;
}

// Whether the name is one that this program reserves for itself in every tree.
bool Walk::Reading::is_ours(std::string_view name) {
  const auto in_root = is_root ? fs::InRoot::yes : fs::InRoot::no;
  if (!fs::is_reserved(name, in_root, fs::IsDirectory::no)) return false;
  if (!is_root) {
    const Result<fs::Stat> stat = directory->stat(name);
    if (!stat || stat->type == fs::Stat::Type::directory) return false;
  }
  ++finding->reserved;
  if (fs::is_staging_name(name)) finding->leftovers.emplace_back(name);
  return true;
}

// Takes the names from the base instead of listing the directory. False: the names are not to be believed,
// because the base cannot give all of them, or because one of them is gone (there may then be another in its
// place, which only listing shows). Also false when the scan was stopped.
bool Walk::Reading::look_at_known() {
  index::Index::Cursor& names = former.records() != nullptr ? *former.records() : *cursor;
  const std::size_t count = *task.child.known_names;
  if (!names.is_whole()) return false;
  expect(count);
  std::size_t found = 0;
  for (; const std::optional<std::string_view> name = names.next_name(); ++found) {
    if (stopped() || !look_at(storage->keep(*name))) return false;
  }
  return found == count;
}

// Forgets what was found so far: it came from names that are not to be believed.
void Walk::Reading::start_over() {
  for (const Child& child : finding->children)
    walk.let_go(child);
  finding = std::make_unique<Finding>();
  scratch.records.clear();
  scratch.keep_record.clear();
  as_before = 0;
  open_cursors();
}

// Whether it is one of this program's own files elsewhere (an index, an open log), and so no part of the
// tree.
bool Walk::Reading::is_left_out(std::string_view name) const {
  if (index::is_state_file_name(name)) return true;
  const std::vector<std::string>& out = walk.options_.leave_out;
  return !out.empty() && std::find(out.begin(), out.end(), join({task.location, name})) != out.end();
}

std::span<const std::string_view> Walk::Reading::sorted_names() {
  const fs::NameList& names = storage->names;
  std::vector<std::string_view>& sorted = scratch.names;
  sorted.clear();
  for (std::size_t i = 0; i < names.size(); ++i)
    sorted.push_back(names[i]);
  std::sort(sorted.begin(), sorted.end());
  // A file system that lists a name twice (some network ones, while the directory changes) must not make two
  // rows of it.
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

// Mostly nothing has changed. Then the records are dropped here, and the writer takes those of the old base.
void Walk::Reading::hand_over_records() {
  const auto kept = std::count(scratch.keep_record.begin(), scratch.keep_record.end(), true);
  const std::uint64_t rows = static_cast<std::uint64_t>(kept) + (finding->self ? 1 : 0);
  finding->is_as_before = as_before == rows && cursor->rows_in_base() == rows;
  if (finding->is_as_before) return;
  finding->keep_record = scratch.keep_record;
  if (scratch.records.capacity() > 2 * scratch.records.size()) {
    finding->records = scratch.records;  // what waits to be handed out holds no more than it needs
  } else {
    finding->records = std::exchange(scratch.records, {});
  }
}

bool Walk::Reading::open() {
  if (task.child.handle) {
    directory = std::move(task.child.handle);
    walk.handles_.give(1);
    return true;
  }
  Result<std::unique_ptr<fs::Directory>> opened = walk.tree_.open(task.location);
  if (!opened) {
    end_by(std::move(opened).error(), "opening");
    return false;
  }
  directory = *std::move(opened);
  return true;
}

bool Walk::Reading::list() {
  if (task.child.names) {
    storage->names = std::move(*task.child.names);
    task.child.names.reset();
    walk.names_.give(storage->names.size());
    return true;
  }
  if (Result<void> listed = directory->list(storage->names); !listed) {
    end_by(std::move(listed).error(), "listing");
    return false;
  }
  return true;
}

// The parent's block has said that this is a directory which can be read. If it went since, its entries went
// too, and an empty block is right. If it is still there and cannot be read any more, an empty block would
// empty it on the mirror, and its own row is out already and cannot be changed. So the scan must end.
void Walk::Reading::end_by(Error error, std::string_view operation) {
  const bool gone = is_gone(error) || error.code == Errc::not_directory;
  if (gone && !is_root) return;
  finding->error = std::move(error).with_context(
      fmt::format("scanning {}: {}", printable(split(task.location)), operation));
}

Result<void> Walk::Reading::read_self() {
  SSYNC_TRY(const fs::Stat self, directory->stat_self());
  Seen seen = self.seen;
  // The root cannot be left out as another entry would be. What is wrong with it is told, and the values
  // become the nearest possible ones.
  if (const char* rule = broken_values_rule(seen.values, {})) {
    Problem problem;
    problem.text = fmt::format("{}: set its time anew (touch), or check the disk (fsck)", rule);
    if (rules.role == index::Role::source) finding->block.problems.push_back(std::move(problem));
    seen.values.mtime.ns = std::min(seen.values.mtime.ns, kTimeNsMax);
    seen.values.mode &= kModeMax;
    seen.values.size = 0;
  }
  finding->block.self = seen;
  Known known = look_up("");
  device = seen.device;
  const Merged merged = merge(rules, known, seen, {});
  count_as_before(merged);
  count_unmirrored("", merged, known.record);
  finding->self = known.record;
  return {};
}

}  // namespace ssync::scanner
