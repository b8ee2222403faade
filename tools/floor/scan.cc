#include <fcntl.h>

#include <string>
#include <thread>
#include <utility>

#include "ssync/base/mutex.h"
#include "ssync/base/unique_fd.h"

#include "floor.h"

namespace ssync::floor {
namespace {

/// Directories that nobody has read yet.
class Waiting {
 public:
  /// False: all were read.
  [[nodiscard]] bool take(std::string& path) SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (paths_.empty() && reading_ > 0)
      changed_.wait(mutex_);
    if (paths_.empty()) return false;
    path = std::move(paths_.back());
    paths_.pop_back();
    ++reading_;
    return true;
  }
  void done(std::vector<std::string> found) SSYNC_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      --reading_;
      for (std::string& path : found)
        paths_.push_back(std::move(path));
    }
    changed_.notify_all();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> paths_ SSYNC_GUARDED_BY(mutex_){"."};
  int reading_ SSYNC_GUARDED_BY(mutex_) = 0;
};

/// Ends when all directories were read.
void read_directories(int root, Waiting& waiting) {
  for (std::string path; waiting.take(path);) {
    const UniqueFd directory(open_directory(root, path));
    std::vector<std::string> found;
    for (const Entry& entry : entries_of(directory.get())) {
      if (S_ISDIR(entry.status.st_mode)) found.push_back(path + "/" + entry.name);
    }
    waiting.done(std::move(found));
  }
}

void scan_one(const char* tree) {
  const UniqueFd root(open_directory(AT_FDCWD, tree));
  Waiting waiting;
  const std::jthread second([&] { read_directories(root.get(), waiting); });
  read_directories(root.get(), waiting);
}

}  // namespace

void scan(const char* one, const char* other) {
  in_two_processes([&] { scan_one(other); }, [&] { scan_one(one); });
}

}  // namespace ssync::floor
