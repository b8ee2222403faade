// A tree on the real file system for benchmarks.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace ssync::support {

/// `directories` directories with `files` files of `bytes` bytes each, and room for a mirror and indexes.
/// Under /dev/shm when that is writable, else in the system's temporary directory. Removed by the destructor.
class DiskTree {
 public:
  DiskTree(std::size_t directories, std::size_t files, std::size_t bytes) {
    const std::filesystem::path base =
        ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = base / "ssync-benchmark.XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", pattern, {});
    path_ = pattern;
    for (const char* name : {"mirror", "state"})
      std::filesystem::create_directory(path_ / name);
    const std::string content(bytes, 'x');
    for (std::size_t d = 0; d < directories; ++d) {
      const std::filesystem::path directory = path_ / "source" / ("directory-" + std::to_string(d));
      std::filesystem::create_directories(directory);
      for (std::size_t f = 0; f < files; ++f)
        std::ofstream(directory / ("file-" + std::to_string(f)), std::ios::binary) << content;
    }
  }
  ~DiskTree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  DiskTree(const DiskTree&) = delete;
  DiskTree& operator=(const DiskTree&) = delete;

  [[nodiscard]] std::string source() const { return path_ / "source"; }
  [[nodiscard]] std::string state() const { return path_ / "state"; }
  /// Empty again.
  [[nodiscard]] std::string new_mirror() const {
    std::filesystem::remove_all(path_ / "mirror");
    std::filesystem::create_directory(path_ / "mirror");
    return path_ / "mirror";
  }

 private:
  std::filesystem::path path_;
};

}  // namespace ssync::support
