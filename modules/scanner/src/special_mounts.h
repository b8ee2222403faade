#pragma once

#include <cstdint>

namespace ssync::scanner {

/// Whether a file system of this type (statfs f_type) holds no files of anybody but views of the kernel's
/// state: proc, sysfs, cgroup, devpts and the like. Source: linux/magic.h.
[[nodiscard]] bool is_special_file_system(std::uint64_t type) noexcept;

}  // namespace ssync::scanner
