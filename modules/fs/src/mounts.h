#pragma once

// The file systems that are mounted somewhere inside a tree, as far as it was written to them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "ssync/base/mutex.h"
#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync::fs {

/// How a file system is to be written to: see Volume.
struct Habits {
  bool syncfs_flushes = true;
  bool sets_mtime_alone = true;
};

/// Thread safety: any thread. Holds a descriptor of each one that is to be flushed, so it cannot be unmounted
/// until keep().
class Mounts {
 public:
  static constexpr std::size_t kKeptMax = 64;

  /// Forgets all file systems. `kept`: whether those that are met from now on are kept, for sync() to flush.
  void keep(bool kept);
  /// Of the file system that `directory` is on. When it cannot be kept for sync(), the answer says that
  /// syncfs proves nothing there, so that each thing written to it is flushed by itself.
  [[nodiscard]] Habits habits_of(int directory, std::uint64_t device);
  /// A syncfs(2) of each that is kept.
  [[nodiscard]] Result<void> sync();

 private:
  Mutex mutex_;
  bool keeps_ SSYNC_GUARDED_BY(mutex_) = false;
  std::map<std::uint64_t, std::shared_ptr<const UniqueFd>> kept_ SSYNC_GUARDED_BY(mutex_);  ///< by device
};

}  // namespace ssync::fs
