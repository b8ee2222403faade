#include "temporary_root.h"

#include <stdlib.h>
#include <unistd.h>

#include "ssync/base/assert.h"

namespace ssync::fs {

TemporaryDirectory::TemporaryDirectory(const std::string& parent) : path_(parent + "/ssync-fs-XXXXXX") {
  SSYNC_ASSERT(::mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string disk_parent() {
  return std::filesystem::current_path().string();
}

std::string memory_parent() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "";
}

}  // namespace ssync::fs
