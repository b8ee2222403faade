#include "lost.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "ssync/fs/tree.h"

namespace ssync::fs {

bool may_be_lost(int sys_errno) noexcept {
  // ENOTCONN and ECONNABORTED: a FUSE daemon that died, or was told to go; ESHUTDOWN: a client that Ceph has
  // shut out; ESTALE: NFS; EHOSTDOWN and its like: CIFS; ENXIO and ENODEV: a disk that was pulled.
  constexpr std::array kErrnos = {EIO,       ENXIO,        ENODEV,       ESTALE,    ENOTCONN, ECONNABORTED,
                                  ESHUTDOWN, ECONNRESET,   ECONNREFUSED, ETIMEDOUT, EPIPE,    EHOSTDOWN,
                                  EREMOTEIO, EHOSTUNREACH, ENETUNREACH,  ENETDOWN};
  return std::ranges::find(kErrnos, sys_errno) != kErrnos.end();
}

Error lost_or(Tree& tree, Error error) {
  if (error.code == Errc::lost || !may_be_lost(error.sys_errno)) return error;
  const Result<void> root = tree.look_at_root();
  if (!root && root.error().code == Errc::lost) return root.error();
  if (root || !may_be_lost(root.error().sys_errno)) return error;
  error = std::move(error).with_context(kLostRemedy);
  error.code = Errc::lost;
  return error;
}

std::optional<Error> lost_behind(Tree& tree, const Problem& problem) {
  Error error = lost_or(tree, errno_error(printable(problem.path()), problem.sys_errno));
  return error.code == Errc::lost ? std::optional(std::move(error)) : std::nullopt;
}

}  // namespace ssync::fs
