// A directory whose content is the same under a new path moves as a whole.
#pragma once

#include "state.h"

namespace ssync::planner {

/// Turns rows that would be made and filled one by one into Action::move_directory and Action::moved: a new
/// directory, when a directory of the mirror that is gone from the source has nothing in it, at any depth,
/// but what the new one has at the same place, and nobody else reads of it. What only the new one has is
/// made after the move as always. Before anything is counted or ordered; once it is known where every row's
/// content comes from.
void move_directories(State& state);

}  // namespace ssync::planner
