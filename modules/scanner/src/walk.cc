#include "walk.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/fs/same.h"
#include "ssync/fs/staging.h"
#include "ssync/model/entry_rules.h"
#include "ssync/model/path.h"

#include "special_mounts.h"

namespace ssync::scanner {

namespace {

constexpr std::size_t kHandlesKept = 128;
constexpr std::size_t kNamesKept = 256 * 1024;
/// How many stats go by between two looks at whether the scan was stopped.
constexpr std::size_t kStopInterval = 256;

/// More than this of a large directory's memory is not kept for the next.
constexpr std::size_t kScratchRows = 4096;

constexpr std::size_t kNameBytesUsual = 20;

constexpr const char* kLostMount =
    "a file system was mounted here at the last sync, and is not now (mount it, or say --accept-root to take "
    "the source as it is)";

/// What a block's views point into.
struct Storage {
  explicit Storage(std::size_t text_bytes) : texts(text_bytes) {}
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    auto* const copy = static_cast<char*>(texts.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  fs::NameList names;
  std::pmr::monotonic_buffer_resource texts;
};

std::size_t text_bytes(const Child& child) {
  return 64 + child.known_names.value_or(0) * kNameBytesUsual;
}

bool is_gone(const Error& error) {
  return error.code == Errc::not_found;
}

bool holds_only_state(const fs::NameList& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!index::is_state_file_name(names[i])) return false;
  }
  return names.size() > 0;
}

std::string text_of(std::string_view operation, const Error& error) {
  if (error.sys_errno == 0) return std::string(operation) + ": " + error.message;
  return Error{error.code, std::string(operation), error.sys_errno}.text();
}

}  // namespace

/// One directory being read.
struct Walk::Run {
  Run(Walk& walk_of, Task& task_of, Scratch& scratch_of)
      : walk(walk_of),
        task(task_of),
        scratch(scratch_of),
        is_root(task.location.empty()),
        storage(std::make_shared<Storage>(text_bytes(task_of.child))) {}

  void read();
  [[nodiscard]] bool open();
  [[nodiscard]] bool list();
  void open_cursors();
  void start_over();
  void expect(std::size_t count);
  [[nodiscard]] bool look_at_listed();
  [[nodiscard]] bool look_at_known();
  [[nodiscard]] bool look_at(std::string_view name);
  [[nodiscard]] fs::Stat readable(std::string_view name, const fs::Stat& found);
  [[nodiscard]] bool is_ours(std::string_view name);
  [[nodiscard]] bool is_left_out(std::string_view name) const;
  [[nodiscard]] bool stopped() { return ++looked_at % kStopInterval == 0 && walk.frontier_.stopped(); }
  [[nodiscard]] std::span<const std::string_view> sorted_names();
  void count_as_before(const Merged& merged);
  void hand_over_records();
  void end_by(Error error, std::string_view operation);
  [[nodiscard]] Result<void> read_self();
  [[nodiscard]] bool fill(ScannedEntry& entry, const fs::Stat& stat);
  void merge_into(ScannedEntry& entry, Known& known, const DirectoryFacts& facts);
  void count_unmirrored(std::string_view name, const Merged& merged, index::Record& record);
  void look_for_acl(std::string_view name, const Merged& merged, index::Record& record);
  void make_unreadable(ScannedEntry& entry, const Known& known, std::string_view operation,
                       const Error& error);
  void make_unreadable(ScannedEntry& entry, const Known& known, std::string text, int sys_errno = 0);
  void add_special(ScannedEntry& entry, const fs::Stat& stat);
  void add_unlistable(std::string_view name, std::string_view rule);
  [[nodiscard]] static std::optional<std::string> broken_rule(ScannedEntry& entry, index::Role role);
  [[nodiscard]] Result<void> find_child(std::string_view name, const fs::Stat& stat, const Known& known,
                                        std::optional<std::uint32_t>& names);
  [[nodiscard]] bool is_boundary(const fs::Stat& stat) const;
  [[nodiscard]] bool may_keep_names(const fs::Stat& stat) const;
  [[nodiscard]] std::optional<std::uint32_t> names_of(const index::Record& record,
                                                      const index::Index::Cursor& of, const fs::Stat& stat,
                                                      PathView path) const;
  [[nodiscard]] std::optional<std::uint32_t> listed_names(const fs::Stat& stat, fs::Directory& opened,
                                                          std::size_t count) const;
  [[nodiscard]] bool lost_mount(const fs::Stat& stat, const Known& known) const;
  [[nodiscard]] bool looks_elsewhere() const;
  void find_origin(ScannedEntry& entry, index::Record& record, Merged& merged);
  [[nodiscard]] std::optional<index::InodeHit> find_moved(std::string_view name, const Seen& seen);
  [[nodiscard]] bool was_here_before(std::string_view name, const Seen& seen, index::Record& record);
  void use(const Merged& merged, const index::Record& record, ScannedEntry& entry) const;
  [[nodiscard]] Known look_up(std::string_view name);

  Walk& walk;
  Task& task;
  Scratch& scratch;
  const bool is_root;
  MergeRules rules;
  std::uint64_t looked_at = 0;  ///< names
  std::uint64_t as_before = 0;  ///< records of the base that the next base has as well
  std::unique_ptr<Finding> finding = std::make_unique<Finding>();
  std::shared_ptr<Storage> storage;
  std::unique_ptr<fs::Directory> directory;
  std::optional<index::Index::Cursor> cursor;
  std::optional<index::Index::Cursor>
      cursor_before;  ///< of the location that the directory seems to have had
  std::size_t depth = 0;
  std::uint64_t device = 0;  ///< this directory's
};

Walk::Walk(fs::Tree& tree, const index::Index& idx, const Options& options, const fs::Volume& root,
           const Frontier& frontier)
    : tree_(tree),
      index_(idx),
      options_(options),
      root_stable_(fs::stable_of(root)),
      frontier_(frontier),
      handles_(tree.worth_keeping(kHandlesKept)),
      names_(kNamesKept) {}

void Walk::let_go(const Child& child) {
  if (child.handle) handles_.give(1);
  if (child.names) names_.give(child.names->size());
}

std::unique_ptr<Finding> Walk::read(Task task, Scratch& scratch) {
  Run run(*this, task, scratch);
  if (task.child.descend) run.read();
  if (scratch.names.capacity() > kScratchRows || scratch.records.capacity() > kScratchRows) scratch = {};
  run.finding->block.location = std::move(task.location);
  run.finding->block.storage = run.storage;
  return std::move(run.finding);
}

void Walk::Run::read() {
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

void Walk::Run::open_cursors() {
  cursor.emplace(walk.index_.directory(task.location));
  if (task.child.was_at) cursor_before.emplace(walk.index_.directory(*task.child.was_at));
}

void Walk::Run::expect(std::size_t count) {
  finding->block.entries.reserve(count);
  scratch.records.reserve(count);
}

// False: not all were looked at.
bool Walk::Run::look_at_listed() {
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

bool Walk::Run::is_ours(std::string_view name) {
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

// The names are those that the base has. False: it cannot give them all, or one of them is gone, so that
// there may be others instead; or stopped.
bool Walk::Run::look_at_known() {
  index::Index::Cursor& names = cursor_before ? *cursor_before : *cursor;
  const std::size_t count = *task.child.known_names;
  if (!names.is_whole()) return false;
  expect(count);
  std::size_t found = 0;
  for (; const std::optional<std::string_view> name = names.next_name(); ++found) {
    if (stopped() || !look_at(storage->keep(*name))) return false;
  }
  return found == count;
}

// What was found so far came from names that are not to be believed.
void Walk::Run::start_over() {
  for (const Child& child : finding->children)
    walk.let_go(child);
  finding = std::make_unique<Finding>();
  scratch.records.clear();
  scratch.keep_record.clear();
  as_before = 0;
  open_cursors();
}

/// Whether it is this program's own, and so no part of the tree.
bool Walk::Run::is_left_out(std::string_view name) const {
  if (index::is_state_file_name(name)) return true;
  const std::vector<std::string>& out = walk.options_.leave_out;
  return !out.empty() && std::find(out.begin(), out.end(), join({task.location, name})) != out.end();
}

/// False: it is gone.
bool Walk::Run::look_at(std::string_view name) {
  if (const char* rule = broken_path_rule({task.location, name})) {
    add_unlistable(name, rule);
    return true;
  }
  const Result<fs::Stat> stat = directory->stat(name);
  if (!stat && is_gone(stat.error())) return false;
  ScannedEntry& entry = finding->block.entries.emplace_back();
  entry.name = name;
  if (!stat) {
    make_unreadable(entry, look_up(name), "reading the attributes", stat.error());
  } else if (stat->type == fs::Stat::Type::other) {
    add_special(entry, *stat);
  } else if (!fill(entry, readable(name, *stat))) {
    finding->block.entries.pop_back();
    return false;
  }
  return true;
}

// Its mode was taken away together with those of the whole tree, say. Whoever owns it may give it back; what
// cannot be is told by who tries to read it.
fs::Stat Walk::Run::readable(std::string_view name, const fs::Stat& found) {
  const auto& user = walk.options_.make_readable_for;
  const Values& values = found.seen.values;
  const bool is_directory = found.type == fs::Stat::Type::directory;
  const unsigned needed = is_directory ? 0500U : 0400U;
  if (!user || values.owner.uid != *user || found.type == fs::Stat::Type::symlink ||
      (values.mode & needed) == needed)
    return found;
  const unsigned mode = values.mode | (is_directory ? 0700U : 0600U);
  if (!directory->set_mode(name, static_cast<std::uint16_t>(mode))) return found;
  return directory->stat(name).value_or(found);
}

std::span<const std::string_view> Walk::Run::sorted_names() {
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

/// After the entry was asked for.
void Walk::Run::count_as_before(const Merged& merged) {
  if (merged.as_before && cursor->is_of_base()) ++as_before;
}

// Mostly nothing has changed. Then the records need not travel: the writer finds them in the old base.
void Walk::Run::hand_over_records() {
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

bool Walk::Run::open() {
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

bool Walk::Run::list() {
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
// too; if it is there and cannot be read any more, nothing that is said now would keep its mirror from being
// emptied, so the scan must end.
void Walk::Run::end_by(Error error, std::string_view operation) {
  const bool gone = is_gone(error) || error.code == Errc::not_directory;
  if (gone && !is_root) return;
  finding->error = std::move(error).with_context(
      fmt::format("scanning {}: {}", printable(split(task.location)), operation));
}

Result<void> Walk::Run::read_self() {
  SSYNC_TRY(const fs::Stat self, directory->stat_self());
  Seen seen = self.seen;
  // Without the root there is nothing: what is wrong with it is told, and as near as can be.
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

Known Walk::Run::look_up(std::string_view name) {
  Known known;
  known.found = cursor->find(name, known.record);
  return known;
}

/// False: it is gone.
bool Walk::Run::fill(ScannedEntry& entry, const fs::Stat& stat) {
  const bool is_directory = stat.type == fs::Stat::Type::directory;
  Known known = look_up(entry.name);
  entry.seen = stat.seen;
  if (stat.type == fs::Stat::Type::symlink) {
    const Result<std::string> target = directory->read_link(entry.name);
    if (!target && is_gone(target.error())) return false;
    if (!target) {
      make_unreadable(entry, known, "reading the link", target.error());
      return true;
    }
    entry.target = storage->keep(*target);
  }
  if (std::optional<std::string> problem = broken_rule(entry, rules.role)) {
    make_unreadable(entry, known, *std::move(problem));
    return true;
  }
  DirectoryFacts facts;
  if (is_directory) {
    if (!may_have_entries(depth)) {
      make_unreadable(entry, known, "is below more than 4096 levels of directories: move it up");
      return true;
    }
    facts.boundary = rules.role == index::Role::source && is_boundary(stat);
    if (lost_mount(stat, known)) {
      make_unreadable(entry, known, kLostMount);
      return true;
    }
    const Result<void> child = find_child(entry.name, stat, known, facts.names);
    if (!child && (is_gone(child.error()) || child.error().code == Errc::not_directory)) return false;
    if (!child) {
      make_unreadable(entry, known, "reading the directory", child.error());
      return true;
    }
  }
  if (stat.type == fs::Stat::Type::file && stat.seen.links > 1) ++finding->hard_links;
  merge_into(entry, known, facts);
  return true;
}

void Walk::Run::merge_into(ScannedEntry& entry, Known& known, const DirectoryFacts& facts) {
  Merged merged = merge(rules, known, entry.seen, facts);
  if (known.found == Known::Found::no) find_origin(entry, known.record, merged);
  use(merged, known.record, entry);
  count_as_before(merged);
  count_unmirrored(entry.name, merged, known.record);
  entry.unmirrored = known.record.unmirrored;
  scratch.records.push_back(known.record);
  scratch.keep_record.push_back(true);
}

// To set or remove an attribute moves ctime, so only what has another stat than its record is asked about.
void Walk::Run::count_unmirrored(std::string_view name, const Merged& merged, index::Record& record) {
  if (rules.role == index::Role::mirror) return look_for_acl(name, merged, record);
  // What cannot be asked has none, as far as anybody can tell: it is only counted.
  if (!merged.as_known) record.unmirrored = directory->unmirrored(name).value_or(0);
  const auto count = [&](std::uint8_t bit, std::uint64_t& counter) {
    if ((record.unmirrored & bit) != 0) ++counter;
  };
  count(fs::kHasAttributes, finding->unmirrored.attributes);
  count(fs::kHasAcl, finding->unmirrored.acls);
  count(fs::kHasCapability, finding->unmirrored.capabilities);
}

// One of the mirror gives rights that the source does not give: it has to go.
void Walk::Run::look_for_acl(std::string_view name, const Merged& merged, index::Record& record) {
  if (merged.as_known || name.empty() || record.held.values.kind == Kind::symlink) return;
  record.unmirrored = directory->unmirrored(name).value_or(0) & fs::kHasAcl;
}

void Walk::Run::use(const Merged& merged, const index::Record& record, ScannedEntry& entry) const {
  entry.doubt = merged.doubt;
  entry.retry = record.retry;
  entry.wanted = record.wanted;
  entry.checksum = record.checksum;
  const std::optional<Digest>& digest = record.digest;
  entry.has_digest = digest && walk.options_.digest_kind && digest->kind == *walk.options_.digest_kind;
  if (entry.has_digest && walk.options_.with_digests) entry.digest = digest;
}

bool Walk::Run::looks_elsewhere() const {
  return rules.role == index::Role::source && !rules.first_contact && rules.stable.inodes;
}

void Walk::Run::find_origin(ScannedEntry& entry, index::Record& record, Merged& merged) {
  const Seen& seen = entry.seen;
  if (!looks_elsewhere() || seen.values.kind != Kind::file) return;
  std::optional<index::InodeHit> hit = find_moved(entry.name, seen);
  bool proven = false;
  if (!hit || !merge_origin(rules, hit->record, seen, record, merged.doubt, proven)) return;
  entry.origin = Origin{.location = storage->keep(hit->location),
                        .name = storage->keep(hit->name),
                        .checksum = *hit->record.checksum,
                        .proven = proven};
}

// What moved mostly moved with its directory. So the first file found by its inode says where the directory
// was, and the others are merged with the records of that place; looking each up would cost several reads.
std::optional<index::InodeHit> Walk::Run::find_moved(std::string_view name, const Seen& seen) {
  index::InodeHit there;
  if (was_here_before(name, seen, there.record)) {
    there.location = *task.child.was_at;
    there.name = name;
    return there;
  }
  std::optional<index::InodeHit> hit = walk.index_.find_inode(seen.device, seen.inode);
  if (hit && !cursor_before && hit->name == name && hit->location != task.location) {
    task.child.was_at = hit->location;
    cursor_before.emplace(walk.index_.directory(hit->location));
  }
  return hit;
}

// Whether the index has this very inode under `name` where the directory was.
bool Walk::Run::was_here_before(std::string_view name, const Seen& seen, index::Record& record) {
  return cursor_before && cursor_before->find(name, record) == Known::Found::yes &&
         same_entry(record.held, seen, fs::StableInodes::yes);
}

void Walk::Run::make_unreadable(ScannedEntry& entry, const Known& known, std::string_view operation,
                                const Error& error) {
  make_unreadable(entry, known, text_of(operation, error), error.sys_errno);
}

/// No block follows, also if it is a directory: an empty one would say that it is known to be empty.
void Walk::Run::make_unreadable(ScannedEntry& entry, const Known& known, std::string text, int sys_errno) {
  // Nothing is wrong with the entry; whoever runs this must give us more, or it must be tried again.
  if (is_shortage(sys_errno)) {
    finding->error =
        Error{Errc::limit, fmt::format("scanning {}: {}", printable({task.location, entry.name}), text), 0};
  }
  Problem problem;
  problem.location = task.location;
  problem.name = entry.name;
  problem.text = std::move(text);
  problem.sys_errno = sys_errno;
  problem.subtree = true;
  finding->block.problems.push_back(std::move(problem));
  entry.seen = Seen();
  entry.seen.values.kind = Kind::unreadable;
  entry.target = {};
  // What was known of it stays true of the stat it had then; its names are not in the next base.
  scratch.keep_record.push_back(known.found == Known::Found::yes);
  scratch.records.push_back(known.record);
  scratch.records.back().names.reset();
}

void Walk::Run::add_special(ScannedEntry& entry, const fs::Stat& stat) {
  ++finding->specials;
  entry.seen = stat.seen;
  if (std::optional<std::string> problem = broken_rule(entry, rules.role))
    return make_unreadable(entry, look_up(entry.name), *std::move(problem));
  // Nothing of it is worth a record.
  scratch.keep_record.push_back(false);
  scratch.records.emplace_back();
}

/// What cannot even be named to anybody is a Problem under as much of its name as can.
void Walk::Run::add_unlistable(std::string_view name, std::string_view rule) {
  constexpr std::string_view kCut = "...";
  Problem problem;
  problem.location = task.location;
  const std::size_t room = kPathBytesMax - std::min(kPathBytesMax, task.location.size() + 1);
  const std::size_t kept = std::min(kNameBytesMax, room);
  if (kept > kCut.size()) problem.name.append(name.substr(0, kept - kCut.size())).append(kCut);
  std::ranges::replace_if(
      problem.name, [](char c) { return c == '/' || c == '\0'; }, '?');
  problem.text = fmt::format("its name {}: left out, give it another one", rule);
  finding->block.problems.push_back(std::move(problem));
}

/// Why an entry cannot be dealt with as its file system describes it, with what helps. On a mirror a time may
/// be anything: it will be set right.
std::optional<std::string> Walk::Run::broken_rule(ScannedEntry& entry, index::Role role) {
  std::uint32_t& ns = entry.seen.values.mtime.ns;
  if (role == index::Role::mirror && ns > kTimeNsMax) ns = kTimeNsMax;
  if (ns > kTimeNsMax)
    return "its modification time has a second or more of nanoseconds: set it anew (touch), or check the "
           "disk";
  const char* const rule = broken_values_rule(entry.seen.values, entry.target);
  if (rule == nullptr) return std::nullopt;
  return fmt::format("{}: left out, check the disk (fsck)", rule);
}

bool Walk::Run::is_boundary(const fs::Stat& stat) const {
  return stat.mount_point || stat.seen.device != device;
}

// An empty mount point where a disk was is no reason to empty the mirror. Device numbers differ from boot to
// boot, and records are not all of one boot, so what counts is the boundary itself, as it was when both the
// directory and the one above it were looked at.
bool Walk::Run::lost_mount(const fs::Stat& stat, const Known& known) const {
  return rules.role == index::Role::source && !walk.options_.accept_lost_mounts &&
         known.found == Known::Found::yes && known.record.boundary && !is_boundary(stat);
}

// A name that comes or goes moves the directory's ctime, where that means anything and if it is not so young
// that a later change could give it the same.
bool Walk::Run::may_keep_names(const fs::Stat& stat) const {
  return walk.options_.believe_names && rules.stable.names && rules.stable.inodes && rules.stable.ctime &&
         !stat.mount_point && !fs::is_racy(stat.seen.ctime, rules.clock);
}

// How many names the directory has, if they are those that the base has of it at `path`. What the log says of
// a directory was not seen together with its names.
std::optional<std::uint32_t> Walk::Run::names_of(const index::Record& record, const index::Index::Cursor& of,
                                                 const fs::Stat& stat, PathView path) const {
  const bool same = record.names && of.is_of_base() && may_keep_names(stat) &&
                    record.held.device == stat.seen.device &&
                    same_stat(record.held, stat.seen, rules.stable) &&
                    walk.index_.rows_in_base(join(path)) == *record.names;
  return same ? record.names : std::nullopt;
}

/// How many names were listed, if the directory that was opened is the one that the stat was taken of, and
/// nothing came or went in between.
std::optional<std::uint32_t> Walk::Run::listed_names(const fs::Stat& stat, fs::Directory& opened,
                                                     std::size_t count) const {
  if (!may_keep_names(stat) || count >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  const Result<fs::Stat> now = opened.stat_self();
  const bool same = now && fs::same_inode(now->seen, stat.seen) && now->seen.ctime == stat.seen.ctime;
  return same ? std::optional(static_cast<std::uint32_t>(count)) : std::nullopt;
}

// Opens it, and lists it unless its names are known: see Child. `names`: for its record.
Result<void> Walk::Run::find_child(std::string_view name, const fs::Stat& stat, const Known& known,
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
