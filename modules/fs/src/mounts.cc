#include "mounts.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "c_name.h"
#include "volume.h"

namespace ssync::fs {

void Mounts::keep(bool kept) {
  const MutexLock lock(mutex_);
  kept_.clear();
  keeps_ = kept;
}

Habits Mounts::habits_of(int directory, std::uint64_t device) {
  const Result<Volume> volume = volume_of(directory);
  if (!volume) return {false, false};
  Habits habits{volume->syncfs_flushes, volume->sets_mtime_alone};
  const MutexLock lock(mutex_);
  if (!keeps_ || !habits.syncfs_flushes || kept_.contains(device)) return habits;
  UniqueFd own(kept_.size() < kKeptMax ? ::fcntl(directory, F_DUPFD_CLOEXEC, 0) : -1);
  if (own) {
    kept_.emplace(device, std::make_shared<const UniqueFd>(std::move(own)));
  } else {
    habits.syncfs_flushes = false;
  }
  return habits;
}

// Not under the lock: it may take long, and who writes meanwhile is flushed by the next one.
Result<void> Mounts::sync() {
  std::vector<std::shared_ptr<const UniqueFd>> kept;
  {
    const MutexLock lock(mutex_);
    for (const auto& [device, directory] : kept_)
      kept.push_back(directory);
  }
  Result<void> first;
  for (const auto& directory : kept) {
    const bool done = ::syncfs(directory->get()) == 0;
    if (!done && first) first = failed("syncing a file system that is mounted inside the tree", "", errno);
  }
  return first;
}

}  // namespace ssync::fs
