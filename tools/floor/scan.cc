#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
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

int open_directory(int root, const std::string& path) {
  const int fd = ::openat(root, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(path);
  return fd;
}

std::vector<Entry> entries_of(int directory) {
  std::vector<Entry> entries;
  alignas(struct dirent64) std::array<char, 64 * 1024> records;
  for (;;) {
    const ssize_t got = ::getdents64(directory, records.data(), records.size());
    if (got < 0) die("listing");
    if (got == 0) return entries;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      std::uint16_t length = 0;
      std::memcpy(&length, &records[at + offsetof(struct dirent64, d_reclen)], sizeof length);
      const char* const name = &records[at + offsetof(struct dirent64, d_name)];
      at += length;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      Entry& entry = entries.emplace_back();
      entry.name = name;
      if (::fstatat(directory, name, &entry.status, AT_SYMLINK_NOFOLLOW) != 0) die(entry.name);
    }
  }
}

void scan(const char* one, const char* other) {
  const pid_t child = ::fork();
  if (child < 0) die("fork");
  if (child == 0) {
    scan_one(other);
    ::_exit(0);
  }
  scan_one(one);
  int status = 0;
  if (::waitpid(child, &status, 0) < 0 || status != 0) die("the other process");
}

}  // namespace ssync::floor
