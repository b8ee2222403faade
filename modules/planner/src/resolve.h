// Between the phases: what Problems, changes of kind and deletes mean for rows and entries that are not at
// the same path.
#pragma once

#include "state.h"

namespace ssync::planner {

/// After the join. Keeps what stands above a Problem, finds names that differ by case only, leaves out what
/// cannot be freed, and marks rows that have to wait for removals.
void resolve_conflicts(State& state);

/// After the search: a file that only changes the case of its name is simply renamed.
void resolve_case_renames(State& state);

/// When deletes are withheld: whatever needs one becomes a Problem. Extras stay.
void withhold_deletes(State& state);

struct Extras {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  ///< content of files
};
/// Mirror entries that are gone from the source, and that no rename takes.
[[nodiscard]] Extras count_extras(const State& state);
/// Adds what becomes of the rows to the totals.
void count_actions(State& state);

}  // namespace ssync::planner
