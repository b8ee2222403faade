#pragma once

#include <array>
#include <ctime>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"

namespace ssync::fs {

/// Errc::invalid_argument for 10^9 nanoseconds and more, which the kernel would take as "now" or "as it is".
[[nodiscard]] Result<void> check_mtime(FileTime mtime);
/// Errc::invalid_argument for a uid or gid of 2^32-1, which the kernel would take as "as it is".
[[nodiscard]] Result<void> check_owner(Owner owner);
enum class Atime : bool { now, stays };
/// For utimensat(2).
[[nodiscard]] std::array<struct timespec, 2> times_of(FileTime mtime, Atime atime) noexcept;

}  // namespace ssync::fs
