// Which new paths can be filled from files that the mirror has?
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "queries.h"
#include "size_group.h"
#include "state.h"

namespace ssync::planner {

/// Decides all rows with Action::find_content: copy, rename or request. Only files of one size compete for
/// one another, so each size is a search of its own; several run at a time, and no result depends on the
/// order of answers.
class Search {
 public:
  Search(State& state, Queries& questions);
  /// Asks as much as there is room for. True: all are decided.
  [[nodiscard]] bool run();
  void receive(const Subject& subject, const Answer& answer);

 private:
  void collect_rows();
  void collect_candidates();
  bool start_next();

  static constexpr std::size_t kGroupsMax = 256;

  State& state_;
  Queries& questions_;
  std::vector<RowIndex> rows_;          ///< by size, then in list order
  std::vector<EntryIndex> candidates_;  ///< by size, then in row order
  std::size_t next_row_ = 0, next_candidate_ = 0;
  std::vector<std::unique_ptr<SizeGroup>> groups_;  ///< by slot
  std::size_t active_ = 0;
};

}  // namespace ssync::planner
