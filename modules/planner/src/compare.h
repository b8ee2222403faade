// Rule 6: is the content at one path the same on both sides?
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "queries.h"
#include "state.h"

namespace ssync::planner {

/// Settles all rows with Action::compare, a bounded number at a time. A side whose checksum is proven is not
/// asked.
class Comparison {
 public:
  Comparison(State& state, Queries& questions) : state_(state), questions_(questions) {}

  /// Asks as much as there is room for. True: all are settled.
  [[nodiscard]] bool run();
  void receive(const Subject& subject, const Answer& answer);

 private:
  struct Pair {
    std::optional<Checksum> source, mirror;
    unsigned open = 0;
  };
  void start(RowIndex row, const Snapshot::View& view);
  void settle(RowIndex row, const Pair& pair);

  State& state_;
  Queries& questions_;
  RowWalk walk_{state_.rows};
  std::unordered_map<RowIndex, Pair> pairs_;
};

/// Queries as this module asks them.
[[nodiscard]] Query source_query(const Snapshot::View& row, Query::What what);
[[nodiscard]] Query mirror_query(const State& state, EntryIndex entry, Query::What what);

}  // namespace ssync::planner
