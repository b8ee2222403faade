#pragma once

#include "ssync/fs/path.h"

namespace ssync::fs {

/// What check_links() says of one step.
[[nodiscard]] Result<void> check_link(const PathStep& step);

}  // namespace ssync::fs
