#include <utility>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/fs/same.h"
#include "ssync/model/entry_rules.h"
#include "ssync/model/path.h"

#include "problems.h"
#include "reading.h"

namespace ssync::scanner {
namespace {

constexpr const char* kLostMount =
    "a file system was mounted here at the last sync, and is not now (mount it, or say --accept-root to take "
    "the source as it is)";

}  // namespace

// False: it is gone.
bool Walk::Reading::look_at(std::string_view name) {
  if (const char* rule = broken_path_rule({task.location, name})) {
    finding->block.problems.push_back(unlistable_problem(task.location, name, rule));
    return true;
  }
  const Result<fs::Stat> stat = directory->stat(name);
  if (!stat && is_gone(stat.error())) return false;
  ScannedEntry& entry = finding->block.entries.emplace_back();
  entry.name = name;
  if (!stat) {
    static_cast<void>(make_unreadable(entry, look_up(name), "reading the attributes", stat.error()));
  } else if (stat->type == fs::Stat::Type::other) {
    add_special(entry, *stat);
  } else if (!fill(entry, readable(name, *stat))) {
    finding->block.entries.pop_back();
    return false;
  }
  return true;
}

// Somebody may have taken the right to read from the whole tree (chmod -R 000). Its owner may give it back.
// If that fails here, nothing is said: opening or reading the entry will fail, and that is told.
fs::Stat Walk::Reading::readable(std::string_view name, const fs::Stat& found) {
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

// Requires: the cursor was asked for this entry last.
void Walk::Reading::count_as_before(const Merged& merged) {
  if (merged.as_before && cursor->is_of_base()) ++as_before;
}

Known Walk::Reading::look_up(std::string_view name) {
  Known known;
  known.found = cursor->find(name, known.record);
  return known;
}

// False: it is gone.
bool Walk::Reading::fill(ScannedEntry& entry, const fs::Stat& stat) {
  Known known = look_up(entry.name);
  entry.seen = stat.seen;
  Step step = Step::go_on;
  if (stat.type == fs::Stat::Type::symlink) step = read_target(entry, known);
  if (step == Step::go_on) step = check_rules(entry, known);
  DirectoryFacts facts;
  if (step == Step::go_on && stat.type == fs::Stat::Type::directory)
    step = fill_directory(entry, stat, known, facts);
  if (step == Step::go_on) {
    if (stat.type == fs::Stat::Type::file && stat.seen.links > 1) ++finding->hard_links;
    merge_into(entry, known, facts);
  }
  return step != Step::gone;
}

Walk::Reading::Step Walk::Reading::read_target(ScannedEntry& entry, const Known& known) {
  const Result<std::string> target = directory->read_link(entry.name);
  if (!target && is_gone(target.error())) return Step::gone;
  if (!target) return make_unreadable(entry, known, "reading the link", target.error());
  entry.target = storage->keep(*target);
  return Step::go_on;
}

Walk::Reading::Step Walk::Reading::check_rules(ScannedEntry& entry, const Known& known) {
  std::optional<std::string> problem = broken_rule(entry, rules.role);
  return problem ? make_unreadable(entry, known, *std::move(problem)) : Step::go_on;
}

Walk::Reading::Step Walk::Reading::fill_directory(ScannedEntry& entry, const fs::Stat& stat,
                                                  const Known& known, DirectoryFacts& facts) {
  if (!may_have_entries(depth))
    return make_unreadable(entry, known, "is below more than 4096 levels of directories: move it up");
  facts.boundary = rules.role == index::Role::source && is_boundary(stat);
  if (lost_mount(stat, known)) return make_unreadable(entry, known, kLostMount);
  const Result<void> child = find_child(entry.name, stat, known, facts.names);
  if (child) return Step::go_on;
  const Error& error = child.error();
  if (is_gone(error) || error.code == Errc::not_directory) return Step::gone;
  return make_unreadable(entry, known, "reading the directory", error);
}

void Walk::Reading::merge_into(ScannedEntry& entry, Known& known, const DirectoryFacts& facts) {
  Merged merged = merge(rules, known, entry.seen, facts);
  if (known.found == Known::Found::no) find_origin(entry, known.record, merged);
  use(merged, known.record, entry);
  count_as_before(merged);
  count_unmirrored(entry.name, merged, known.record);
  entry.unmirrored = known.record.unmirrored;
  scratch.records.push_back(known.record);
  scratch.keep_record.push_back(true);
}

// To set or remove an attribute moves ctime. So while the stat is the record's, the record's answer holds,
// and the file system is not asked.
void Walk::Reading::count_unmirrored(std::string_view name, const Merged& merged, index::Record& record) {
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

// An ACL of the mirror gives rights that the source does not give, so it has to go; the plan is told of it.
void Walk::Reading::look_for_acl(std::string_view name, const Merged& merged, index::Record& record) {
  if (merged.as_known || name.empty() || record.held.values.kind == Kind::symlink) return;
  record.unmirrored = directory->unmirrored(name).value_or(0) & fs::kHasAcl;
}

void Walk::Reading::use(const Merged& merged, const index::Record& record, ScannedEntry& entry) const {
  entry.doubt = merged.doubt;
  entry.retry = record.retry;
  entry.wanted = record.wanted;
  entry.checksum = record.checksum;
  const std::optional<Digest>& digest = record.digest;
  entry.has_digest = digest && walk.options_.digest_kind && digest->kind == *walk.options_.digest_kind;
  if (entry.has_digest && walk.options_.with_digests) entry.digest = digest;
}

bool Walk::Reading::looks_elsewhere() const {
  return rules.role == index::Role::source && !rules.first_contact && rules.stable.inodes;
}

void Walk::Reading::find_origin(ScannedEntry& entry, index::Record& record, Merged& merged) {
  const Seen& seen = entry.seen;
  if (!looks_elsewhere() || seen.values.kind != Kind::file) return;
  std::optional<index::InodeHit> hit = former.find(entry.name, seen);
  bool proven = false;
  if (!hit || !merge_origin(rules, hit->record, seen, record, merged.doubt, proven)) return;
  entry.origin = Origin{.location = storage->keep(hit->location),
                        .name = storage->keep(hit->name),
                        .checksum = *hit->record.checksum,
                        .proven = proven};
}

Walk::Reading::Step Walk::Reading::make_unreadable(ScannedEntry& entry, const Known& known,
                                                   std::string_view operation, const Error& error) {
  return make_unreadable(entry, known, text_of(operation, error), error.sys_errno);
}

// No block follows, also if it is a directory: an empty block would say that the directory is known to be
// empty.
Walk::Reading::Step Walk::Reading::make_unreadable(ScannedEntry& entry, const Known& known, std::string text,
                                                   int sys_errno) {
  // A shortage of descriptors or memory is ours, not the entry's. To go on would call the rest of the tree
  // unreadable as well.
  if (is_shortage(sys_errno)) {
    finding->error =
        Error{Errc::limit, fmt::format("scanning {}: {}", printable({task.location, entry.name}), text), 0};
  }
  finding->block.problems.push_back(
      unreadable_problem({task.location, entry.name}, std::move(text), sys_errno));
  entry.seen = Seen();
  entry.seen.values.kind = Kind::unreadable;
  entry.target = {};
  // What was known of it stays true of the stat that it had then, so its record is kept. Its names are not:
  // the next base has no block of this directory to take them from.
  scratch.keep_record.push_back(known.found == Known::Found::yes);
  scratch.records.push_back(known.record);
  scratch.records.back().names.reset();
  return Step::unreadable;
}

void Walk::Reading::add_special(ScannedEntry& entry, const fs::Stat& stat) {
  entry.seen = stat.seen;
  if (std::optional<std::string> problem = broken_rule(entry, rules.role)) {
    static_cast<void>(make_unreadable(entry, look_up(entry.name), *std::move(problem)));
    return;
  }
  // A special file has no content to remember.
  scratch.keep_record.push_back(false);
  scratch.records.emplace_back();
}

}  // namespace ssync::scanner
