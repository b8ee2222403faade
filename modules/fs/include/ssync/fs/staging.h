// The place where new content waits until it is complete: `.server-sync.<32 hex digits>` in the mirror's
// root, made when first needed, mode 0700, with a marker file; ACL and setgid stripped. Scanners skip the
// pattern.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"

namespace ssync::fs {

inline constexpr std::string_view kStagingPrefix = ".server-sync.";
inline constexpr std::string_view kStagingMarker = ".server-sync-staging";

/// True for names that only a staging directory in the root has: the prefix and 32 lower-case hex digits.
[[nodiscard]] bool is_staging_name(std::string_view name) noexcept;

/// Removes the staging directories that a killed server left in the root: only those with the pattern, this
/// process's uid and the marker inside, or nothing inside (killed between making the directory and its
/// marker). Returns how many. Other things that match the pattern (links, files, a directory of somebody
/// else) are left alone. Goes on after a failure; the first one is the Error.
[[nodiscard]] Result<std::uint32_t> remove_abandoned_staging(Tree& tree);

/// Thread safety: any thread. The tree must outlive it. A directory that somebody else removed is made again
/// by the next open(). Names in it are plain decimal slot numbers, unique for its life.
class Staging {
 public:
  explicit Staging(Tree& tree);
  ~Staging();  ///< removes what is left, silently
  /// A handle on the staging directory, which is made now if it was not there.
  [[nodiscard]] Result<std::unique_ptr<Directory>> open();
  /// A name that nobody else has.
  [[nodiscard]] std::string next_slot();
  /// Removes the directory and everything in it. The next open() makes a new one. On an Error it goes on with
  /// the rest, and what is left stays ours: remove() may be called again.
  [[nodiscard]] Result<void> remove();
  [[nodiscard]] bool exists() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::fs
