// How a staged file gets its name. What is replaced, and when, is Placing::publish()'s rule; here it is applied
// to one file, to all files of a batch, and to a directory that was filled in staging.
#pragma once

#include <vector>

#include "ssync/fs/tree.h"
#include "ssync/store/incoming.h"
#include "ssync/store/outcomes.h"
#include "ssync/store/placing.h"

namespace ssync::store {

/// Gives all of them their names; a result for each file. What got none is dropped. `seen` stays only where a
/// later change must show in it. `clock`: the file system's.
[[nodiscard]] std::vector<Result<void>> publish(Placing& placing, Ready& ready, const FileTime& clock);
/// Tells what became of each: `placed` is what publish() returned.
void report(Outcomes& outcomes, Ready& ready, const std::vector<Result<void>>& placed);
/// Removes what is staged.
void drop(Placing& placing, const Ready& ready) noexcept;

}  // namespace ssync::store
