#pragma once

#include <sys/stat.h>

#include <string_view>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"

namespace ssync::fs {

enum class WithBirth : bool { no, yes };

/// One statx(2), links not followed, automounts not triggered. `name` empty: of `fd` itself. 0 or an errno.
/// `knows_mounts` says whether the kernel could tell mount points (before 5.8 it cannot).
[[nodiscard]] int stat_entry(int fd, const char* name, WithBirth birth, Stat& into,
                             bool& knows_mounts) noexcept;

/// The same of an open descriptor.
[[nodiscard]] int stat_fd(int fd, WithBirth birth, Stat& into) noexcept;

}  // namespace ssync::fs
