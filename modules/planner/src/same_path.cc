// The rules for one path (README, "Same path"): content before metadata, first match wins.
#include <utility>

#include "join.h"

namespace ssync::planner {
namespace {

Problem problem_at(const Row& row, std::string text) {
  Problem problem;
  problem.location = row.location;
  problem.name = row.name;
  problem.text = std::move(text);
  problem.row = row.id;
  return problem;
}

Action creation_of(const Row& row) {
  if (row.values.kind == Kind::directory) return Action::make_directory;
  if (row.values.kind == Kind::symlink) return Action::make_link;
  return row.values.size == 0 ? Action::make_empty : Action::find_content;
}

}  // namespace

// Nothing at `row`'s path or below it takes part any more, on either side.
void Join::leave_out(const Row& row, EntryIndex at) {
  state_.blocked.insert(join(row.path()));
  if (at != kNoEntry) state_.set_mirror_flag(at, kProtected);
}

bool Join::collides(const Row& row) {
  if (state_.options.attributes.case_sensitive) return false;
  if (folded_location_ != row.location) {
    folded_location_.assign(row.location);
    folded_names_.clear();
  }
  const auto [at, is_new] = folded_names_.try_emplace(fold_case(row.name), row.name);
  if (is_new) return false;
  Problem problem =
      problem_at(row, "the mirror cannot tell it from '" + printable({row.location, at->second}) + "'");
  problem.subtree = row.values.kind == Kind::directory;
  state_.report(std::move(problem));
  return true;
}

bool Join::is_refused(const Row& row) {
  if (row.values.kind == Kind::unreadable) {
    Problem problem = problem_at(row, "could not be read in the source");
    problem.subtree = true;
    state_.report(std::move(problem));
    return true;
  }
  if (row.values.kind == Kind::symlink && !state_.options.attributes.symlinks) {
    Problem problem = problem_at(row, "the mirror cannot hold symbolic links");
    problem.warning = true;
    state_.report(std::move(problem));
    return true;
  }
  return collides(row);
}

Result<void> Join::source_only(const Row& row) {
  if (is_blocked_location(row.location)) return {};
  if (has_problem(row.name) && in_block_ && row.location == blocks_.front().location) {
    name_row_of_problem(row.name, row.id);
    return {};
  }
  if (row.values.kind == Kind::special) {
    leave_special(row);
    return {};
  }
  if (is_refused(row)) {
    leave_out(row, kNoEntry);
    return {};
  }
  SSYNC_TRY_VOID(state_.add_row(row, creation_of(row), 0, kNoEntry));
  return {};
}

void Join::mirror_only(const Scanned& entry) {
  const bool is_problem = entry.values.kind == Kind::unreadable || has_problem(entry.name);
  if (is_problem) state_.blocked.insert(join({blocks_.front().location, entry.name}));
  if (is_problem || is_blocked_location(blocks_.front().location)) {
    state_.set_mirror_flag(entry.entry, kProtected);
  }
}

Result<void> Join::both(const Row& row, const Scanned& entry) {
  if (is_blocked_location(row.location)) {
    state_.set_mirror_flag(entry.entry, kProtected);
    return {};
  }
  if (has_problem(entry.name)) {
    name_row_of_problem(entry.name, row.id);
    leave_out(row, entry.entry);
    return {};
  }
  if (row.values.kind == Kind::special && entry.values.kind != Kind::unreadable) {
    special(row, entry);
    return {};
  }
  if (is_refused(row)) {
    leave_out(row, entry.entry);
    return {};
  }
  if (entry.values.kind == Kind::unreadable) {
    Problem problem = problem_at(row, "could not be read on the mirror");
    problem.subtree = true;
    state_.report(std::move(problem));
    leave_out(row, entry.entry);
    return {};
  }
  if (row.values.kind != entry.values.kind) return kind_change(row, entry);
  state_.set_mirror_flag(entry.entry, kStays);
  switch (row.values.kind) {
    case Kind::directory:
      return directory(row, entry);
    case Kind::symlink:
      return link(row, entry);
    default:
      return file(row, entry);
  }
}

void Join::leave_special(const Row& row) {
  ++state_.totals.specials;
  if (!state_.options.name_specials) return;
  Problem problem = problem_at(row, "a socket, fifo or device: not mirrored");
  problem.warning = true;
  state_.report(std::move(problem));
}

// Never made. Of what the mirror has under the same name another special entry is left alone, anything else
// is gone from the source.
void Join::special(const Row& row, const Scanned& entry) {
  const bool is_special = entry.values.kind == Kind::special;
  if (is_special) state_.set_mirror_flag(entry.entry, kStays);
  if (!is_special || row.values.size != entry.values.size) leave_special(row);
}

/// What stands in the way may have to stay: resolve_conflicts() knows.
Result<void> Join::kind_change(const Row& row, const Scanned& entry) {
  SSYNC_TRY_VOID(state_.add_row(row, creation_of(row), kReplaces, entry.entry));
  return {};
}

Join::Metadata Join::compare_metadata(const Row& row, const Scanned& entry) const {
  const Attributes& attributes = state_.options.attributes;
  const Values source = project(row.values, attributes);
  const bool is_wanted = entry.wanted && project(*entry.wanted, attributes) == source;
  const bool is_own = (is_wanted && !state_.options.verify) || project(entry.values, attributes) == source;
  // What the index says of the entry must be the source's values too: it is what the next sync compares with.
  return Metadata{is_own && !entry.has_acl, is_wanted || !entry.wanted};
}

Result<void> Join::directory(const Row& row, const Scanned& entry) {
  const Metadata metadata = compare_metadata(row, entry);
  Action action = Action::metadata;
  if (metadata.same) action = metadata.known ? Action::same : Action::record;
  // A directory's row is kept even if it is equal: changes inside will touch its times.
  SSYNC_TRY_VOID(state_.add_row(row, action, 0, entry.entry));
  if (action == Action::same) state_.fold(row.path(), row.values, {}, {});
  return {};
}

Result<void> Join::link(const Row& row, const Scanned& entry) {
  if (row.target != entry.target) {
    SSYNC_TRY_VOID(state_.add_row(row, Action::make_link, 0, entry.entry));
    return {};
  }
  return same_content(row, entry);
}

// Rule 5: both sides vouch for their stat, and it is the one that the mirror's file was written for.
bool Join::is_proven_same(const Row& row, const Scanned& entry) const {
  if (state_.options.compare_content || row.doubt || entry.doubt || !entry.wanted) return false;
  const Attributes& attributes = state_.options.attributes;
  if (row.values.size != entry.wanted->size ||
      project(row.values, attributes).mtime != project(*entry.wanted, attributes).mtime) {
    return false;
  }
  return !row.checksum || !entry.checksum || *row.checksum == *entry.checksum;
}

Result<void> Join::file(const Row& row, const Scanned& entry) {
  // Nothing is compared with what could not be read in peace; and there may be a quiet moment just now.
  if (entry.retry && row.values.size > 0 && !state_.options.compare_content) {
    SSYNC_TRY(const RowIndex index, state_.add_row(row, Action::request, 0, entry.entry));
    state_.first_requests.push_back(index);
    return {};
  }
  if (row.values.size != entry.values.size) {
    SSYNC_TRY_VOID(state_.add_row(row, creation_of(row), 0, entry.entry));
    return {};
  }
  if (row.values.size == 0 || is_proven_same(row, entry)) return same_content(row, entry);
  const Metadata metadata = compare_metadata(row, entry);
  Facts facts = 0;
  if (metadata.same) facts |= kMetaSame;
  if (metadata.known && entry.wanted && !entry.doubt && entry.checksum) facts |= kKnown;
  SSYNC_TRY(const RowIndex index, state_.add_row(row, Action::compare, facts, entry.entry));
  if (entry.checksum && !state_.options.compare_content) state_.mirror_checksums.put(index, *entry.checksum);
  return {};
}

// Rule 7. An empty file in doubt comes here as well: there is nothing to doubt in it, but the index does not
// know that.
Result<void> Join::same_content(const Row& row, const Scanned& entry) {
  const Metadata metadata = compare_metadata(row, entry);
  const bool is_file = row.values.kind == Kind::file;
  const bool is_known = metadata.known && !(is_file && (entry.doubt || !entry.wanted));
  if (metadata.same && is_known) {
    std::optional<Checksum> checksum;
    if (is_file && row.values.size == 0) checksum = kEmptyChecksum;
    state_.fold(row.path(), row.values, row.target, checksum);
    ++state_.totals.unchanged;
    return {};
  }
  Row kept = row;
  if (!kept.checksum) kept.checksum = entry.checksum;
  if (is_file && row.values.size == 0) kept.checksum = kEmptyChecksum;
  const Action action = metadata.same ? Action::record : Action::metadata;
  SSYNC_TRY_VOID(state_.add_row(kept, action, 0, entry.entry));
  return {};
}

}  // namespace ssync::planner
