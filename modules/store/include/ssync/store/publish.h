// How a staged file gets its name. What is replaced, and when, is Placing::publish()'s rule; here it is
// applied to one file, to all files of a batch, and to a directory that was filled in staging.
#pragma once

#include <vector>

#include "ssync/fs/tree.h"
#include "ssync/store/incoming.h"
#include "ssync/store/outcomes.h"
#include "ssync/store/placing.h"

namespace ssync::store {

/// Gives all files of `ready` their names; returns a result for each. A staged file that got no name is
/// removed. ReadyFile::seen is kept only if a later change of the file must show in its stat, by the file
/// system's clock, `clock`.
[[nodiscard]] std::vector<Result<void>> publish(Placing& placing, Ready& ready, const FileTime& clock);
/// Tells what became of each: `placed` is what publish() returned.
void report(Outcomes& outcomes, Ready& ready, const std::vector<Result<void>>& placed);
/// Removes what is staged.
void drop(Placing& placing, const Ready& ready) noexcept;

}  // namespace ssync::store
