// What a plan takes away from the mirror: the figures that the delete guards decide by.
#pragma once

#include "state.h"

namespace ssync::planner {

/// Sets the totals of deletes and places. One pass over the mirror's entries, and one over the rows when
/// there are as many deletes as a guard asks for. Under DeleteExtra::no only what is replaced goes.
[[nodiscard]] Losses count_losses(State& state);

}  // namespace ssync::planner
