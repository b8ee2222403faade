// The way from "/" to a path, one component at a time, as the kernel takes it: which links lead there, and
// whose they are.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "ssync/base/result.h"

namespace ssync::fs {

/// One component that was passed: a directory, a link, or what stands at the end.
struct PathStep {
  std::string path;       ///< with the links before it resolved
  struct stat parent {};  ///< of the directory that it is in
  struct stat self {};    ///< links not followed
  std::string target;     ///< of a link, else empty
};

/// Calls `see` for each component of `path` (made absolute), those of link targets included. Returns the path
/// with its links and ".." resolved. Where something does not exist it returns an empty path and no Error:
/// whoever opens it will say so. Errors: `see`'s, and Errc::too_long for more than 40 links.
[[nodiscard]] Result<std::string> walk_path(const std::string& path,
                                            const std::function<Result<void>(const PathStep&)>& see);

/// Errc::refused, with the component and its owner, when `path` leads through a symbolic link which another
/// user than root and this process's owns, or which everybody could replace (it is in a directory that all
/// may write, without the sticky bit): it could lead anywhere at any time. In a user namespace the user that
/// stands for all who are not mapped counts as root: so the system's own links look there.
[[nodiscard]] Result<void> check_links(const std::string& path);

/// Gives the owner of this directory the rights that a `chmod -R` took away, when he cannot read or search
/// it. True: it was this process's user's, who is not root, and could not.
bool make_accessible(const std::string& path);

}  // namespace ssync::fs
