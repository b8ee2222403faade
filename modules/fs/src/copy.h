#pragma once

#include <cstdint>
#include <functional>

#include "real_file.h"

namespace ssync::fs {

/// File::copy_content() of the real file system.
[[nodiscard]] Result<void> copy_file(RealFile& from, RealFile& to,
                                     const std::function<bool(std::uint64_t)>& progress);

}  // namespace ssync::fs
