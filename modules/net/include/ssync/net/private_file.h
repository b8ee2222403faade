// Files of one user alone: keys, what opens a server on loopback, who is known. All of it blocks for a disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ssync/base/result.h"

namespace ssync::net {

/// The text of a regular file, no link, of this user or root, that nobody else can read or write, in a
/// directory that nobody else can write. Errors: Errc::not_found; Errc::permission says whose it is or which
/// mode it has, and the command that mends that; Errc::limit over `bytes_max`; else as open(2). The caller
/// wipes it.
[[nodiscard]] Result<std::string> read_private_file(const std::string& path, std::size_t bytes_max);

enum class IfThere : bool { keep, replace };
/// Writes `text` under a temporary name, mode 0600, and then gives it its name. Errc::already_exists with
/// IfThere::keep. Else as open(2), write(2), link(2), rename(2).
[[nodiscard]] Result<void> write_private_file(const std::string& path, std::string_view text,
                                              IfThere if_there);

/// Makes `directory`, and those above it that are missing, for this user alone. Errors: as mkdir(2).
[[nodiscard]] Result<void> make_directories(const std::string& directory);

/// Makes `directory` (mode 0700; its parent must be there) or checks that it is a directory, no link, of this
/// user and closed to others. `what` it is for: "the tap's socket". Errors: Errc::refused with what is wrong,
/// else as mkdir(2).
[[nodiscard]] Result<void> make_private_directory(const std::string& directory, std::string_view what);

}  // namespace ssync::net
