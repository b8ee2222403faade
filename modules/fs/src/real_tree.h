#pragma once

#include <sys/types.h>

#include <memory>
#include <string_view>

#include "ssync/base/unique_fd.h"
#include "ssync/fs/tree.h"

#include "resolve.h"

namespace ssync::fs {

/// A tree of the real file system. Holds one descriptor, of the root.
class RealTree final : public Tree {
 public:
  /// Reads the process's umask, which decides where a created file needs an fchmod.
  explicit RealTree(UniqueFd root);

  [[nodiscard]] Result<std::unique_ptr<Directory>> open(std::string_view location) override;
  [[nodiscard]] Result<Volume> volume() override;
  [[nodiscard]] Result<void> sync() override;
  [[nodiscard]] FileTime clock() const override;

  /// Borrowed.
  [[nodiscard]] int fd() const noexcept { return root_.get(); }
  [[nodiscard]] mode_t umask() const noexcept { return umask_; }

 private:
  UniqueFd root_;
  mode_t umask_;
  Resolver resolver_;
};

}  // namespace ssync::fs
