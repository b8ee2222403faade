#pragma once

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"

namespace ssync::fs {

/// What is known of the file system that `fd` is on.
[[nodiscard]] Result<Volume> volume_of(int fd);

}  // namespace ssync::fs
