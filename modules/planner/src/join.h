// The first phase: both trees, sorted alike, are merged; what is equal is forgotten, the rest is kept with
// what is to become of it.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ssync/base/result.h"

#include "input.h"
#include "list_order.h"
#include "state.h"

namespace ssync::planner {

class Join {
 public:
  explicit Join(State& state);

  [[nodiscard]] Result<void> add_directories(const std::vector<DirectorySum>& directories, bool last);
  [[nodiscard]] Result<void> add_source(RowBatch batch);
  [[nodiscard]] Result<void> add_mirror(const ScanBlock& block);
  [[nodiscard]] Result<void> end_mirror();

  enum class Need : std::uint8_t { source, mirror, directories, nothing };
  /// The mirror's scan has ended: it has nothing but its root, and no Problem; and the source's list is one
  /// of rows, not of directories. Then only the root's row can be equal or in doubt. From then on the join
  /// asks nothing and leaves the tree digest alone, so that others may add to it meanwhile.
  [[nodiscard]] bool is_mirror_empty() const;
  /// Merges as far as what is there allows. The plan does not depend on how the input was cut: the order of
  /// decisions is that of the rows.
  [[nodiscard]] Result<Need> run();
  [[nodiscard]] std::vector<Planner::AskedDirectory> take_asked_directories() {
    return std::exchange(sums_.asked, {});
  }

 private:
  [[nodiscard]] Result<void> check_row(const Row& row);
  [[nodiscard]] Result<void> check_values(const Row& row);
  [[nodiscard]] Result<void> check_order(const Row& row);
  void count_row(const Values& values);
  [[nodiscard]] Result<EntryIndex> keep_entry(const ScannedEntry& found);

  // The list as one of directories (directory_sums.cc).
  enum class Verdict : std::uint8_t { open, equal, listed };
  struct Announced {
    std::string location;
    RowId first = 0;  ///< id of its first row
    std::uint64_t rows = 0;
    std::optional<Hash128> sum;
    Verdict verdict = Verdict::open;
  };
  [[nodiscard]] Result<void> check_listed_row(const Row& row);
  void compare_sums();
  void compare_sum(Announced& directory);
  [[nodiscard]] bool is_settled(const Scanned& entry) const;
  [[nodiscard]] std::optional<Hash128> sum_of(const Block& block) const;
  [[nodiscard]] Result<std::optional<Need>> run_directories();
  [[nodiscard]] Result<void> merge_equal(const Announced& directory);
  [[nodiscard]] Need need_more() const;

  // Problems of the mirror's scan.
  void enter_block();
  void leave_block();
  void retract(PathView path, Problem& problem);
  [[nodiscard]] bool has_problem(std::string_view name) const;
  void name_row_of_problem(std::string_view name, RowId row);

  // One row, one entry, or both at one path.
  /// Rows that were asked for are checked here; those of a whole list were when they came.
  [[nodiscard]] Result<void> admit(const Row& row);
  void pop_row();
  [[nodiscard]] bool is_before(const Row& row, const Scanned& entry);
  [[nodiscard]] bool is_blocked_location(std::string_view location);
  [[nodiscard]] Result<void> source_only(const Row& row);
  void mirror_only(const Scanned& entry);
  [[nodiscard]] Result<void> both(const Row& row, const Scanned& entry);
  /// True when `row` cannot be kept at all; said then.
  [[nodiscard]] bool is_refused(const Row& row);
  [[nodiscard]] bool collides(const Row& row);
  void leave_out(const Row& row, EntryIndex at);

  // Same path, same kind.
  struct Metadata {
    bool same = false;   ///< nothing to change
    bool known = false;  ///< and the index has it so
  };
  [[nodiscard]] Metadata compare_metadata(const Row& row, const Scanned& entry) const;
  void leave_special(const Row& row);
  void special(const Row& row, const Scanned& entry);
  [[nodiscard]] Result<void> kind_change(const Row& row, const Scanned& entry);
  [[nodiscard]] Result<void> directory(const Row& row, const Scanned& entry);
  [[nodiscard]] Result<void> link(const Row& row, const Scanned& entry);
  [[nodiscard]] Result<void> file(const Row& row, const Scanned& entry);
  [[nodiscard]] Result<void> same_content(const Row& row, const Scanned& entry);
  [[nodiscard]] bool is_proven_same(const Row& row, const Scanned& entry) const;

  State& state_;

  ListOrder source_order_{Errc::protocol, "source list"};
  std::string source_location_;  ///< of the last row checked
  RowId next_row_ = 0;
  bool source_ended_ = false;
  SourceQueue source_;

  /// Of a list of directories.
  struct Sums {
    bool is_used = false;
    bool ended = false;
    std::deque<Announced> announced;     ///< the front is the one to merge next
    std::uint64_t announced_before = 0;  ///< how many were merged: the front's position
    std::size_t undecided = 0;           ///< the first in `announced` without a verdict
    std::size_t compared_blocks = 0;     ///< those of blocks_ that lie before it
    std::uint64_t listed = 0;            ///< position of the directory whose rows are expected next
    std::uint64_t listed_rows = 0;       ///< how many of them came
    std::uint64_t merged_rows = 0;       ///< of the front
    RowId rows = 0;                      ///< of all that were announced
    std::string last_location;
    std::vector<Planner::AskedDirectory> asked;
  };
  Sums sums_;

  ListOrder mirror_order_{Errc::corrupt, "mirror scan"};
  bool mirror_ended_ = false;
  bool has_mirror_problem_ = false;
  bool mirror_has_content_ = false;  ///< a file that is not empty
  std::deque<Block> blocks_;         ///< the first is the current one when in_block_
  std::size_t block_entries_ = 0;    ///< in all of them
  bool in_block_ = false;
  std::size_t next_entry_ = 0;
  std::vector<Problem> entry_problems_;  ///< of the current block's entries, sorted by name

  // The answers for the location asked last: neighbours share it.
  struct Order {
    bool is_known = false;
    std::string_view location;
    std::uint64_t batch = 0;
    std::strong_ordering to_block = std::strong_ordering::equal;
  };
  struct Blocked {
    std::size_t version = 0;
    std::string location;
    bool is_so = false;
  };
  Order order_;
  Blocked blocked_;

  std::string folded_location_;  ///< case-insensitive mirrors: names of this location, in lower case
  std::unordered_map<std::string, std::string> folded_names_;
};

}  // namespace ssync::planner
