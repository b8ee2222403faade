#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/descriptors.h"
#include "ssync/fs/same.h"
#include "ssync/model/entry_rules.h"
#include "ssync/model/path.h"

#include "reading.h"

namespace ssync::scanner {
namespace {

constexpr const char* kLostMount =
    "a file system was mounted here at the last sync, and is not now (mount it, or say --accept-root to take "
    "the source as it is)";

std::string text_of(std::string_view operation, const Error& error) {
  if (error.sys_errno == 0) return std::string(operation) + ": " + error.message;
  return Error{error.code, std::string(operation), error.sys_errno}.text();
}

}  // namespace

/// False: it is gone.
bool Walk::Reading::look_at(std::string_view name) {
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

/// After the entry was asked for.
void Walk::Reading::count_as_before(const Merged& merged) {
  if (merged.as_before && cursor->is_of_base()) ++as_before;
}

Known Walk::Reading::look_up(std::string_view name) {
  Known known;
  known.found = cursor->find(name, known.record);
  return known;
}

/// False: it is gone.
bool Walk::Reading::fill(ScannedEntry& entry, const fs::Stat& stat) {
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

// To set or remove an attribute moves ctime, so only what has another stat than its record is asked about.
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

// One of the mirror gives rights that the source does not give: it has to go.
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

void Walk::Reading::make_unreadable(ScannedEntry& entry, const Known& known, std::string_view operation,
                                    const Error& error) {
  make_unreadable(entry, known, text_of(operation, error), error.sys_errno);
}

/// No block follows, also if it is a directory: an empty one would say that it is known to be empty.
void Walk::Reading::make_unreadable(ScannedEntry& entry, const Known& known, std::string text,
                                    int sys_errno) {
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

void Walk::Reading::add_special(ScannedEntry& entry, const fs::Stat& stat) {
  ++finding->specials;
  entry.seen = stat.seen;
  if (std::optional<std::string> problem = broken_rule(entry, rules.role))
    return make_unreadable(entry, look_up(entry.name), *std::move(problem));
  // Nothing of it is worth a record.
  scratch.keep_record.push_back(false);
  scratch.records.emplace_back();
}

/// What cannot even be named to anybody is a Problem under as much of its name as can.
void Walk::Reading::add_unlistable(std::string_view name, std::string_view rule) {
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
std::optional<std::string> Walk::Reading::broken_rule(ScannedEntry& entry, index::Role role) {
  std::uint32_t& ns = entry.seen.values.mtime.ns;
  if (role == index::Role::mirror && ns > kTimeNsMax) ns = kTimeNsMax;
  if (ns > kTimeNsMax)
    return "its modification time has a second or more of nanoseconds: set it anew (touch), or check the "
           "disk";
  const char* const rule = broken_values_rule(entry.seen.values, entry.target);
  if (rule == nullptr) return std::nullopt;
  return fmt::format("{}: left out, check the disk (fsck)", rule);
}

}  // namespace ssync::scanner
