#include "floor.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace ssync::floor {

void die(std::string_view what) {
  fmt::print(stderr, "ssync_floor: {}: {}\n", what, std::strerror(errno));
  std::_Exit(EXIT_FAILURE);
}

void in_two_processes(const std::function<void()>& child, const std::function<void()>& parent) {
  const pid_t pid = ::fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    child();
    ::_exit(0);
  }
  parent();
  int status = 0;
  if (::waitpid(pid, &status, 0) < 0 || status != 0) die("the other process");
}

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

}  // namespace ssync::floor
