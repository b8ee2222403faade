// A directory whose content is the same under a new path moves as a whole.
#pragma once

#include "state.h"

namespace ssync::planner {

/// Turns rows that would be made and filled one by one into Action::move_directory and Action::moved: a new
/// directory, when a directory of the mirror that is gone from the source has, at all depths together, at
/// least half of its entries at the same place in the new one. What else is in it comes along and is dealt
/// with at its new path, after the move: replaced where the source has something there (State::brought),
/// taken from there by who needs it, removed. What only the new one has is made as always. Before anything is
/// counted or ordered; once it is known where every row's content comes from.
void move_directories(State& state);

}  // namespace ssync::planner
