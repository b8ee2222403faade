// Files of the source that are under a new path what they were under the old one, beyond doubt.
#pragma once

#include <optional>
#include <string>

#include "queries.h"
#include "state.h"

namespace ssync::planner {

/// The mirror's file where the row's inode was when the source's index last saw it, if the index may vouch
/// for it. Rows asked for in list order are found without searching the tree for each.
class OriginFinder {
 public:
  explicit OriginFinder(const State& state) : state_(state) {}
  [[nodiscard]] EntryIndex find(RowIndex row, const Origin& origin);

 private:
  const State& state_;
  std::optional<std::string> location_;  ///< the one looked for last
  Snapshot::Range entries_;              ///< of it
};

/// Whether the row whose path holds `self` may get the content of `entry`: not when that is `self`, nor when
/// it is another name of the same inode, as rename(2) of one onto the other does nothing.
[[nodiscard]] bool can_take(const State& state, EntryIndex self, EntryIndex entry);
/// The row's content is that of `from`: a rename if that may go and nobody else has it, else a copy.
void take_from(State& state, RowIndex row, EntryIndex from);

/// Settles the rows whose origin the source's stat proves. Before the search by size: in list order, so that
/// questions go through the mirror's index as it is sorted, and what moved takes no part in the search.
class ProvenOrigins {
 public:
  ProvenOrigins(State& state, Queries& questions) : state_(state), questions_(questions), finder_(state) {}
  /// Asks as much as there is room for. True: all are decided.
  [[nodiscard]] bool run();
  void receive(const Subject& subject, const Answer& answer);

 private:
  void decide();

  State& state_;
  Queries& questions_;
  OriginFinder finder_;
  RowIndex next_row_ = 0;
};

}  // namespace ssync::planner
