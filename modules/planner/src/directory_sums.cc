// The list as one of directories: those whose rows add up to the same on both sides are right as they are,
// and merged from the mirror's side alone; the rows of the others are asked for (README, "Directories
// first").
#include <utility>

#include "join.h"

namespace ssync::planner {
namespace {

/// So many are asked for at once, while more can be compared.
constexpr std::size_t kAskedDirectoriesBatch = 256;
/// So many mirror entries may wait for the rows of a directory before them. What is asked for takes a round
/// trip: without looking ahead there would be one for each directory.
constexpr std::size_t kEntriesAhead = 65536;
constexpr std::uint64_t kRowsMax = ~std::uint64_t{0} >> 1U;

tl::unexpected<Error> broken(std::string_view location, std::string_view rule) {
  return fail(Errc::protocol, "source list: '" + printable(split(location)) + "': " + std::string(rule));
}

/// The values that a row must have for nothing to be done about the entry.
const Values& settled_values(const Scanned& entry) {
  return entry.wanted ? *entry.wanted : entry.values;
}

}  // namespace

Result<void> Join::add_directories(const std::vector<DirectorySum>& directories, bool last) {
  if (sums_.ended || next_row_ > 0 || state_.options.compare_content)
    return fail(Errc::protocol, "source list: directories that have no place here");
  sums_.is_used = true;
  for (const DirectorySum& directory : directories) {
    const bool is_root = sums_.rows == 0;
    if (is_root != directory.location.empty() || (is_root && directory.rows == 0))
      return broken(directory.location, "the root, with its row, must come first");
    if (!is_root && compare_locations(sums_.last_location, directory.location) >= 0)
      return broken(directory.location, "out of order");
    if (directory.rows > kRowsMax - sums_.rows) return broken(directory.location, "has too many rows");
    sums_.last_location = directory.location;
    sums_.announced.push_back({directory.location, sums_.rows, directory.rows, directory.sum, Verdict::open});
    sums_.rows += directory.rows;
  }
  sums_.ended = last;
  if (last && sums_.rows == 0) return fail(Errc::protocol, "source list: ended without its root");
  return {};
}

// Its place among its neighbours is checked when it is merged: directories that need no rows come between.
Result<void> Join::check_listed_row(const Row& row) {
  if (sums_.listed < sums_.announced_before) sums_.listed = sums_.announced_before, sums_.listed_rows = 0;
  for (; sums_.listed - sums_.announced_before < sums_.undecided; ++sums_.listed, sums_.listed_rows = 0) {
    const Announced& directory = sums_.announced[sums_.listed - sums_.announced_before];
    if (directory.verdict != Verdict::listed || sums_.listed_rows == directory.rows) continue;
    if (row.location != directory.location || row.id != directory.first + sums_.listed_rows)
      return broken(row.location, "has a row that is not the next one of those asked for");
    ++sums_.listed_rows;
    return check_values(row);
  }
  return broken(row.location, "has rows that were not asked for");
}

// Compares directories with the mirror's, as far as the mirror's scan has come. A directory without a sum,
// which the client cannot vouch for, is asked for without waiting for the scan.
void Join::compare_sums() {
  for (; sums_.undecided < sums_.announced.size(); ++sums_.undecided) {
    Announced& directory = sums_.announced[sums_.undecided];
    while (sums_.compared_blocks < blocks_.size() &&
           compare_locations(blocks_[sums_.compared_blocks].location, directory.location) < 0) {
      ++sums_.compared_blocks;
    }
    const Block* block = sums_.compared_blocks < blocks_.size() ? &blocks_[sums_.compared_blocks] : nullptr;
    if (directory.sum && block == nullptr && !mirror_ended_) return;
    const bool is_equal = directory.sum && block != nullptr && block->location == directory.location &&
                          block->entries.size() == directory.rows && sum_of(*block) == directory.sum;
    directory.verdict = is_equal ? Verdict::equal : Verdict::listed;
    if (!is_equal) sums_.asked.push_back({sums_.announced_before + sums_.undecided, directory.location});
  }
}

// An entry about which same_content() and directory() would find nothing to do if its row is equal, and of
// which the index has nothing to learn.
bool Join::is_settled(const Scanned& entry) const {
  if (entry.values.kind == Kind::unreadable || entry.values.kind == Kind::special) return false;
  if (entry.retry || entry.has_acl) return false;
  if (entry.wanted && (entry.wanted->kind != entry.values.kind || entry.wanted->size != entry.values.size))
    return false;
  return entry.values.kind != Kind::file || (entry.wanted && !entry.doubt);
}

std::optional<Hash128> Join::sum_of(const Block& block) const {
  if (!block.problems.empty()) return std::nullopt;
  Hash128 sum;
  for (const Scanned& entry : block.entries) {
    if (!is_settled(entry)) return std::nullopt;
    const Values& values = settled_values(entry);
    sum += row_hash(entry.name, project(values, state_.options.attributes), entry.target,
                    values.size > 0 ? entry.checksum : std::nullopt);
  }
  return sum;
}

/// Merges what needs no rows. nullopt: the front of the rows is next, or the list is at its end.
Result<std::optional<Join::Need>> Join::run_directories() {
  for (;;) {
    compare_sums();
    if (sums_.announced.empty()) {
      if (!sums_.ended) return need_more();
      source_ended_ = true;
      return std::nullopt;
    }
    const Announced& next = sums_.announced.front();
    if (next.verdict == Verdict::open) return need_more();
    if (next.verdict == Verdict::equal) {
      SSYNC_TRY_VOID(merge_equal(next));
    } else if (sums_.merged_rows < next.rows) {
      if (source_.front() == nullptr) return need_more();
      return std::nullopt;
    }
    sums_.announced.pop_front();
    ++sums_.announced_before;
    --sums_.undecided;
    sums_.merged_rows = 0;
  }
}

Result<void> Join::merge_equal(const Announced& directory) {
  while (blocks_.front().location != directory.location) {
    if (!in_block_) enter_block();
    const std::vector<Scanned>& entries = blocks_.front().entries;
    while (next_entry_ < entries.size())
      mirror_only(entries[next_entry_++]);
    leave_block();
  }
  enter_block();
  const bool is_root = directory.location.empty();
  if (is_root) {
    SSYNC_TRY_VOID(source_order_.add_root({}, Kind::directory));
  } else {
    SSYNC_TRY_VOID(source_order_.enter(directory.location));
    source_location_ = directory.location;
  }
  Row row;
  row.location = directory.location;
  row.id = directory.first;
  for (const Scanned& entry : blocks_.front().entries) {
    row.name = entry.name;
    row.values = settled_values(entry);
    row.target = entry.target;
    const bool is_own = is_root && row.id == 0;
    if (!is_own) {
      count_row(row.values);
      if (row.values.kind == Kind::directory) SSYNC_TRY_VOID(source_order_.add(row.name, Kind::directory));
    }
    SSYNC_TRY_VOID(both(row, entry));
    ++row.id;
  }
  leave_block();
  return {};
}

/// What the merge waits for: as much as possible is compared before anybody waits for rows.
Join::Need Join::need_more() const {
  if (sums_.asked.size() >= kAskedDirectoriesBatch) return Need::directories;
  if (sums_.announced.empty()) return Need::source;
  if (sums_.announced.front().verdict == Verdict::open) return Need::mirror;
  if (block_entries_ < kEntriesAhead) {
    if (sums_.undecided < sums_.announced.size()) return Need::mirror;
    if (!sums_.ended) return Need::source;
  }
  return sums_.asked.empty() ? Need::source : Need::directories;
}

}  // namespace ssync::planner
