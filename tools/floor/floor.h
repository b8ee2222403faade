// What the machine allows: the same work with nothing else to do. A figure of the real programs means
// something beside these.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ssync::floor {

struct Entry {
  std::string name;
  struct stat status {};
};

/// Ends the program: what it measures is worthless then.
[[noreturn]] void die(std::string_view what);

/// Returns when both are through. A child that fails ends the program.
void in_two_processes(const std::function<void()>& child, const std::function<void()>& parent);

/// All entries of an open directory, unsorted, each with a stat.
[[nodiscard]] std::vector<Entry> entries_of(int directory);
[[nodiscard]] int open_directory(int root, const std::string& path);

/// Lists and stats both trees, each in a process of its own with two threads.
void scan(const char* one, const char* other);

enum class Promises : bool {
  none,  ///< read, sent, received, written under the final name
  kept,  ///< with checksums on both sides, files under other names until their directory is there, and a look
         ///< at each file after it was read and after it was written
};
/// Sends a tree over one TCP connection to another process, which makes it anew in an empty directory; one
/// thread a side. Without a list, requests and an index; owners, and modes and times of directories are not
/// kept.
void copy(const char* source, const char* mirror, Promises promises);

}  // namespace ssync::floor
