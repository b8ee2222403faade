#pragma once

#include <atomic>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync::fs {

/// Opens directories below another one without following links and without leaving it. Thread safety: any
/// thread.
class Resolver {
 public:
  /// The directory at `location` (checked by the caller, not empty) below `root`, for listing. Locations
  /// longer than PATH_MAX are opened in hops; at most two descriptors are held meanwhile. A link or file on
  /// the way is ENOTDIR.
  [[nodiscard]] Result<UniqueFd> open(int root, std::string_view location) const;

 private:
  // Each returns a descriptor or a negated errno. `piece` is shorter than PATH_MAX.
  [[nodiscard]] int open_piece(int at, std::string_view piece, int flags) const noexcept;
  [[nodiscard]] static int open_by_components(int at, char* piece, int flags) noexcept;

  /// Cleared by the first ENOSYS (kernels before 5.6).
  mutable std::atomic<bool> has_openat2_{true};
};

}  // namespace ssync::fs
