#pragma once

#include <functional>
#include <string>

namespace ssync::fs {

/// What `work` returns, run in a child process, so that it may give up privileges. "died" when the child did.
[[nodiscard]] std::string in_child(const std::function<std::string()>& work);

/// The same as user and group 65534, with no other group; as the present user when that is not root.
[[nodiscard]] std::string as_nobody(const std::function<std::string()>& work);

/// False where the folder that the tests run in is closed to other users.
[[nodiscard]] bool nobody_reaches(const std::string& path);

/// The same where openat2(2) fails with `err`, as under a seccomp filter.
[[nodiscard]] std::string without_openat2(int err, const std::function<std::string()>& work);

/// The same in a mount namespace of its own with a tmpfs of `size_kib` at `path`. "skip" where that is not
/// allowed.
[[nodiscard]] std::string with_tmpfs(const std::string& path, int size_kib,
                                     const std::function<std::string()>& work);

}  // namespace ssync::fs
