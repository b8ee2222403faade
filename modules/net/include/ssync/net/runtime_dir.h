// Where a running program leaves what other programs of its user look for: sockets, and what lets them in.
#pragma once

#include <string>
#include <vector>

namespace ssync::net {

/// Directories for that, the best first: below $RUNTIME_DIRECTORY (a service of systemd) and
/// $XDG_RUNTIME_DIR, where these are this user's; /run/server-sync for root; below /run/user/ID; in the
/// system's temporary directory. The directory above is there and this user's own (the last one's is
/// everybody's); the directory itself may be missing, and of any kind. Never empty. Thread safety: any
/// thread, while nobody sets variables of the environment.
[[nodiscard]] std::vector<std::string> runtime_dirs();

}  // namespace ssync::net
