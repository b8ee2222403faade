// What a mirror can hold, found out by trying.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"

namespace ssync::store {

/// Finds out, by trying in the staging directory, what the mirror can hold. `notes` gets a sentence for each
/// thing it cannot. Owners are not tried, and not held, unless this process is root. Errors: what keeps it
/// from making a file there (Errc::no_space, read_only, permission).
[[nodiscard]] Result<Attributes> probe_attributes(fs::Staging& staging, std::vector<std::string>& notes);

/// Smaller files are not asked about: what has a lower limit (vfat) says so soon enough.
inline constexpr std::uint64_t kProbedSize = std::uint64_t{1} << 40U;
/// Whether a file may be that long in the directory at `location` (or, while it is not there, in the one
/// above), found out with one that is nothing but a hole. False only where the file system says so (EFBIG):
/// what else keeps that file from being made is told, with its remedy, by who makes the real one.
[[nodiscard]] bool size_fits(fs::Tree& tree, fs::Staging& staging, std::string_view location,
                             std::uint64_t size);

}  // namespace ssync::store
