// The place where new content waits until it is complete: `.server-sync.<32 hex digits>` in the mirror's
// root, made when first needed, mode 0700, with a marker file; ACL and setgid stripped. What cannot be
// renamed from there (another device below a mount in the mirror) waits beside its target, under a name of
// that form. Scanners skip these names, and the one directory that is ours and stays: is_reserved().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"
#include "ssync/model/path.h"

namespace ssync::fs {

inline constexpr std::string_view kStagingPrefix = ".server-sync.";
inline constexpr std::string_view kStagingMarker = ".server-sync-staging";

/// In the root of a mirror on a file system that others reach (Volume::shared): the lock, and whose it is.
inline constexpr std::string_view kStateDirectory = ".server-sync.state";

/// True for names that only what is staged has: the prefix and 32 lower-case hex digits.
[[nodiscard]] bool is_staging_name(std::string_view name) noexcept;

enum class InRoot : bool { no, yes };
enum class IsDirectory : bool { no, yes };
/// Whether an entry is ours and no part of any tree: in the root, kStateDirectory and whatever has a staging
/// name; below, files and links with a staging name.
[[nodiscard]] bool is_reserved(std::string_view name, InRoot in_root, IsDirectory is_directory) noexcept;

/// Removes the staging directories that a killed server left in the root: only those with the pattern, this
/// process's uid and the marker inside, or nothing inside (killed between making the directory and its
/// marker). Returns how many. Other things that match the pattern (links, files, a directory of somebody
/// else) are left alone. Goes on after a failure; the first one is the Error. Requires: nobody else stages
/// here, that is, the root is locked by the caller.
[[nodiscard]] Result<std::uint32_t> remove_abandoned_staging(Tree& tree);
/// Removes one entry that a scan came across and that a killed server may have left: in the root a staging
/// directory as above, below it a file or link of this process's uid. Keeps the time of the directory that it
/// was in. False: it is none of ours.
[[nodiscard]] Result<bool> remove_abandoned(Tree& tree, PathView path);

/// Thread safety: any thread. The tree must outlive it. A directory that somebody else removed is made again
/// by the next open(). Names in it are plain decimal slot numbers, unique for its life.
class Staging {
 public:
  /// `epoch`: of the root's lock, for the marker; may be empty.
  explicit Staging(Tree& tree, std::string epoch = {});
  ~Staging();  ///< removes what is left, silently
  /// A handle on the staging directory, which is made now if it was not there.
  [[nodiscard]] Result<std::unique_ptr<Directory>> open();
  /// A name that nobody else has.
  [[nodiscard]] std::string next_slot();
  /// A name that nobody else has, for what is staged beside its target; is_staging_name() is true for it.
  [[nodiscard]] std::string next_name_beside();
  /// Whether a staging name is of this object: of its directory, or from next_name_beside().
  [[nodiscard]] bool owns(std::string_view name) const;
  /// Removes the directory and everything in it. The next open() makes a new one. On an Error it goes on with
  /// the rest, and what is left stays ours: remove() may be called again.
  [[nodiscard]] Result<void> remove();
  [[nodiscard]] bool exists() const;
  /// The name of the staging directory in the root; empty when there is none.
  [[nodiscard]] std::string name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::fs
