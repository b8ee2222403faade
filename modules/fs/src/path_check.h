#pragma once

#include "ssync/fs/path.h"

namespace ssync::fs {

/// Of one step: check_links().
[[nodiscard]] Result<void> check_link(const PathStep& step);

}  // namespace ssync::fs
