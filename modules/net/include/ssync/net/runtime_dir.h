// Where a running program leaves what other programs of its user look for: sockets, and what lets them in.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ssync::net {

/// Directories for that, the best first: below $RUNTIME_DIRECTORY (a service of systemd) and
/// $XDG_RUNTIME_DIR, where these are this user's; /run/server-sync for root; below /run/user/ID; in the
/// system's temporary directory. The directory above is there and `user`'s own, or root's; the directory
/// itself may be missing, and of any kind. What the environment says counts for this process's own user
/// only. Never empty. Thread safety: any thread, while nobody sets variables of the environment.
[[nodiscard]] std::vector<std::string> runtime_dirs(uid_t user);

}  // namespace ssync::net
