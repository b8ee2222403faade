// In which order local files are copied and moved, so that no content is lost before its last use.
#pragma once

#include <cstdint>
#include <vector>

#include "state.h"

namespace ssync::planner {

struct LocalStep {
  enum class Kind : std::uint8_t { copy, rename, exchange, make_empty, stage_copy, stage_rename, publish };
  Kind kind = Kind::copy;
  RowIndex row = kNoIndex;
  RowIndex other = kNoIndex;   ///< exchange: the row of the other path, when that is right then too
  RowIndex stands = kNoIndex;  ///< exchange: the row from whose path came what stands at this one by now
};

/// Orders all rows with Action::copy and Action::rename. A copy becomes a rename where the file that it reads
/// is about to be replaced by another local step: chains (rotated logs) move, names that were swapped or
/// rotated are exchanged, one pair after the other. Rows that wait for removals (kLate) are only staged here.
[[nodiscard]] std::vector<LocalStep> order_local_steps(State& state);

}  // namespace ssync::planner
