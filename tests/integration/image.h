// A file system of a kind of its own, in a file, mounted where a test wants it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"

namespace ssync::integration {

/// Unmounted, and its file removed, by the destructor.
class Image {
 public:
  /// Makes `file` of that size, runs `make` (mkfs and its options) on it, and mounts it at `place`. ok() is
  /// false, and why() says why, when this machine cannot. `type` as for mount -t.
  Image(stdfs::path file, std::uint64_t size_bytes, std::vector<std::string> make, stdfs::path place,
        std::string type = "auto");
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  [[nodiscard]] bool ok() const { return why_.empty(); }
  [[nodiscard]] const std::string& why() const { return why_; }
  /// What was not written to the disk is forgotten by the kernel. Requires: nothing is open below.
  void mount_again();
  /// What a power cut at this moment would leave is mounted instead. Something may be open below: it goes on
  /// with the old one.
  void cut_power();

 private:
  void mount();
  stdfs::path file_, place_;
  std::string type_;
  std::string why_;
  bool mounted_ = false;
};

}  // namespace ssync::integration
