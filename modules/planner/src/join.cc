// Cutting the input into the merge's steps, and the Problems that take whole subtrees out of it. The rules
// for one path: same_path.cc.
#include "join.h"

#include <algorithm>
#include <utility>

#include "ssync/model/entry_rules.h"
#include "ssync/model/total.h"

namespace ssync::planner {
namespace {

struct NameOrder {
  bool operator()(const Problem& a, std::string_view b) const { return a.name < b; }
  bool operator()(std::string_view a, const Problem& b) const { return a < b.name; }
};

}  // namespace

Join::Join(State& state) : state_(state) {}

Result<void> Join::check_row(const Row& row) {
  if (source_ended_) return fail(Errc::protocol, "source list: rows after its end");
  if (row.id != next_row_) {
    return fail(Errc::protocol, "source list: '" + printable(row.path()) + "': row ids must count up from 0");
  }
  ++next_row_;
  SSYNC_TRY_VOID(check_values(row));
  return check_order(row);
}

Result<void> Join::check_values(const Row& row) {
  if (const char* rule = broken_values_rule(row.values, row.target))
    return fail(Errc::protocol, "source list: '" + printable(row.path()) + "' " + rule);
  return {};
}

// Also counts it.
Result<void> Join::check_order(const Row& row) {
  if (!source_order_.has_root()) return source_order_.add_root(row.path(), row.values.kind);
  if (row.location != source_location_) {
    SSYNC_TRY_VOID(source_order_.enter(row.location));
    source_location_.assign(row.location);
  }
  SSYNC_TRY_VOID(source_order_.add(row.name, row.values.kind));
  count_row(row.values);
  return {};
}

void Join::count_row(const Values& values) {
  PlanTotals& totals = state_.totals;
  ++totals.source_entries;
  if (values.kind == Kind::directory) ++totals.source_directories;
  if (values.kind == Kind::symlink) ++totals.source_links;
  if (values.kind != Kind::file) return;
  ++totals.source_files;
  add_to(totals.source_bytes, values.size);
}

Result<void> Join::add_source(RowBatch batch) {
  if (sums_.is_used && batch.last) return fail(Errc::protocol, "source list: an end among rows asked for");
  for (const Row& row : batch.rows)
    SSYNC_TRY_VOID(sums_.is_used ? check_listed_row(row) : check_row(row));
  const bool last = batch.last;
  source_.push(std::move(batch));
  if (last) {
    if (!source_order_.has_root()) return fail(Errc::protocol, "source list: ended without its root");
    source_ended_ = true;
  }
  return {};
}

Result<EntryIndex> Join::keep_entry(const ScannedEntry& found) {
  EntryFlags flags = 0;
  if (found.doubt) flags |= kFlagDoubt;
  if (found.checksum) flags |= kFlagChecksum;
  if (found.has_digest) flags |= kFlagDigest;
  // Whose metadata is set on a copy that takes its place.
  const bool is_copied = found.seen.links > 1 || found.unmirrored != 0;
  if (found.seen.values.kind == Kind::file && is_copied) flags |= kFlagLinks;
  if (found.seen.values.kind == Kind::file && found.seen.values.size > 0) mirror_has_content_ = true;
  const std::uint32_t tag = found.checksum ? prefix_of(*found.checksum) : 0;
  return state_.mirror.add(found.name, found.seen.values, found.target, found.seen.device, found.seen.inode,
                           flags, tag);
}

Result<void> Join::add_mirror(const ScanBlock& block) {
  if (mirror_ended_) return fail(Errc::corrupt, "mirror scan: a block after its end");
  const bool is_first = !mirror_order_.has_root();
  if (is_first != block.self.has_value()) {
    return fail(Errc::corrupt, "mirror scan: the first block, and no other, carries the root");
  }
  Block own;
  own.location = block.location;
  own.problems = block.problems;
  has_mirror_problem_ = has_mirror_problem_ || !block.problems.empty();
  own.entries.reserve(block.entries.size() + (is_first ? 1 : 0));
  if (block.holds_own) state_.holding_own.push_back(static_cast<DirectoryIndex>(state_.mirror.directories()));
  SSYNC_TRY_VOID(state_.mirror.begin_directory(block.location));
  const auto keep = [&](const ScannedEntry& found) -> Result<void> {
    SSYNC_TRY(const EntryIndex entry, keep_entry(found));
    own.entries.push_back(Scanned{state_.mirror.name(entry),
                                  {},
                                  entry,
                                  found.doubt,
                                  found.retry,
                                  found.seen.values,
                                  found.wanted,
                                  found.checksum,
                                  found.unmirrored != 0});
    if (found.seen.values.kind == Kind::symlink) own.entries.back().target = state_.mirror.view(entry).target;
    return {};
  };
  if (is_first) {
    SSYNC_TRY_VOID(mirror_order_.add_root({block.location, {}}, block.self->values.kind));
    ScannedEntry root;
    root.seen = *block.self;
    SSYNC_TRY_VOID(keep(root));
  } else {
    SSYNC_TRY_VOID(mirror_order_.enter(block.location));
  }
  for (const ScannedEntry& found : block.entries) {
    SSYNC_TRY_VOID(mirror_order_.add(found.name, found.seen.values.kind));
    SSYNC_TRY_VOID(keep(found));
  }
  state_.totals.mirror_entries += block.entries.size();
  block_entries_ += own.entries.size();
  blocks_.push_back(std::move(own));
  return {};
}

Result<void> Join::end_mirror() {
  if (!mirror_order_.has_root()) return fail(Errc::corrupt, "mirror scan: ended without its root");
  mirror_ended_ = true;
  state_.may_reuse = mirror_has_content_;
  return {};
}

bool Join::is_mirror_empty() const {
  return mirror_ended_ && !has_mirror_problem_ && state_.mirror.size() == 1 && !sums_.is_used;
}

Result<Join::Need> Join::run() {
  for (;;) {
    if (sums_.is_used) {
      SSYNC_TRY(const std::optional<Need> need, run_directories());
      if (need) return *need;
    }
    const Row* row = source_.front();
    if (row == nullptr && !source_ended_) return Need::source;
    if (in_block_ && next_entry_ < blocks_.front().entries.size()) {
      const Scanned& entry = blocks_.front().entries[next_entry_];
      if (row == nullptr || !is_before(*row, entry)) {
        if (row != nullptr && order_.to_block == std::strong_ordering::equal && row->name == entry.name) {
          SSYNC_TRY_VOID(admit(*row));
          SSYNC_TRY_VOID(both(*row, entry));
          pop_row();
        } else {
          mirror_only(entry);
        }
        ++next_entry_;
        continue;
      }
    } else if (!in_block_ || row == nullptr ||
               compare_locations(row->location, blocks_.front().location) > 0) {
      // Nothing can be said of a row before its directory on the mirror is known, or known not to be there.
      if (in_block_) leave_block();
      if (!blocks_.empty()) {
        enter_block();
        continue;
      }
      if (!mirror_ended_) return Need::mirror;
      if (row == nullptr) return Need::nothing;
    }
    SSYNC_TRY_VOID(admit(*row));
    SSYNC_TRY_VOID(source_only(*row));
    pop_row();
  }
}

Result<void> Join::admit(const Row& row) {
  return sums_.is_used ? check_order(row) : Result<void>();
}

void Join::pop_row() {
  source_.pop();
  ++sums_.merged_rows;
}

// Also brings order_.to_block up to date.
bool Join::is_before(const Row& row, const Scanned& entry) {
  // Rows of one batch share their location's bytes; another batch, or another block, compares once more.
  if (!order_.is_known || order_.batch != source_.batch() || order_.location.data() != row.location.data() ||
      order_.location.size() != row.location.size()) {
    order_.location = row.location;
    order_.batch = source_.batch();
    order_.to_block = compare_locations(row.location, blocks_.front().location);
    order_.is_known = true;
  }
  if (order_.to_block != std::strong_ordering::equal) return order_.to_block < 0;
  return row.name < entry.name;
}

bool Join::is_blocked_location(std::string_view location) {
  if (state_.blocked.empty()) return false;
  if (blocked_.version != state_.blocked.version() || blocked_.location != location) {
    blocked_.version = state_.blocked.version();
    blocked_.location.assign(location);
    blocked_.is_so = state_.blocked.covers(location);
  }
  return blocked_.is_so;
}

// A Problem takes effect when the merge comes to its block, not when the block was given: the plan must not
// depend on that.
void Join::enter_block() {
  in_block_ = true;
  next_entry_ = 0;
  order_.is_known = false;
  Block& block = blocks_.front();
  for (Problem& problem : block.problems) {
    const bool blocks = problem.subtree || !problem.warning;
    const bool is_inside = problem.location == block.location && !problem.name.empty();
    if (blocks && !is_inside) retract(problem.path(), problem);
    if (blocks) state_.blocked.insert(join(problem.path()));
    if (blocks && is_inside) {
      entry_problems_.push_back(std::move(problem));
    } else {
      state_.report(std::move(problem));
    }
  }
  block.problems.clear();
  std::stable_sort(entry_problems_.begin(), entry_problems_.end(),
                   [](const Problem& a, const Problem& b) { return a.name < b.name; });
}

void Join::leave_block() {
  for (Problem& problem : entry_problems_)
    state_.report(std::move(problem));
  entry_problems_.clear();
  block_entries_ -= blocks_.front().entries.size();
  if (sums_.compared_blocks > 0) --sums_.compared_blocks;
  blocks_.pop_front();
  in_block_ = false;
  order_.is_known = false;
}

// A directory was decided on before its listing turned out to have failed.
void Join::retract(PathView path, Problem& problem) {
  if (const auto entry = state_.mirror.find(path)) state_.set_mirror_flag(*entry, kProtected);
  const auto row = state_.rows.find(path);
  if (!row) return;
  const Snapshot::View view = state_.rows.view(*row);
  problem.row = view.inode;
  Pending& pending = state_.pending[*row];
  if (pending.action == Action::same) {
    state_.digest.remove(view.location,
                         row_hash(view.name, project(view.values, state_.options.attributes), {}, {}));
  }
  pending.action = Action::left_out;
}

bool Join::has_problem(std::string_view name) const {
  if (entry_problems_.empty()) return false;
  return std::binary_search(entry_problems_.begin(), entry_problems_.end(), name, NameOrder{});
}

void Join::name_row_of_problem(std::string_view name, RowId row) {
  const auto [first, last] =
      std::equal_range(entry_problems_.begin(), entry_problems_.end(), name, NameOrder{});
  for (auto at = first; at != last; ++at)
    at->row = row;
}

}  // namespace ssync::planner
