#pragma once

#include <filesystem>
#include <string>

namespace ssync::fs {

/// A new empty directory, removed with all in it at the end.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& parent);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string operator/(const std::string& below) const { return path_ + "/" + below; }

 private:
  std::string path_;
};

/// On the disk that the tests run on.
[[nodiscard]] std::string disk_parent();
/// On tmpfs; "" where there is none.
[[nodiscard]] std::string memory_parent();

}  // namespace ssync::fs
