#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ssync/base/unique_fd.h"
#include "ssync/fs/tree.h"

#include "claim.h"
#include "metadata.h"
#include "mounts.h"
#include "resolve.h"
#include "unflushed.h"

namespace ssync::fs {

/// A tree of the real file system. Holds one descriptor, of the root.
class RealTree final : public Tree {
 public:
  /// Reads the process's umask, which decides where a created file needs an fchmod. `claim`: what every
  /// change depends on; nullptr: nothing.
  RealTree(UniqueFd root, const Volume& volume, std::shared_ptr<Claim> claim);

  [[nodiscard]] Result<std::unique_ptr<Directory>> open(std::string_view location) override;
  [[nodiscard]] Result<Volume> volume() override;
  [[nodiscard]] Result<void> sync() override;
  void will_sync(bool will) override;
  [[nodiscard]] Result<void> look_at_root() override;
  [[nodiscard]] FileTime clock() const override;
  [[nodiscard]] std::size_t worth_keeping(std::size_t wanted) const override;

  /// Borrowed.
  [[nodiscard]] int fd() const noexcept { return root_.get(); }
  [[nodiscard]] mode_t umask() const noexcept { return umask_; }
  [[nodiscard]] Result<void> may_change() const { return claim_ ? claim_->check() : Result<void>(); }
  /// How to write to the file system that `directory` is on: the root's, or one that is mounted somewhere
  /// below it. Ask before something in the directory is changed: from then on sync() flushes what is mounted
  /// there, too.
  [[nodiscard]] Habits habits_of(int directory);
  /// Directories need to know where they are, for what is remembered to be flushed.
  [[nodiscard]] bool remembers() const noexcept { return unflushed_.wanted(); }
  /// nullptr: nothing need be remembered just now.
  [[nodiscard]] Unflushed* unflushed() noexcept { return unflushed_.wanted() ? &unflushed_ : nullptr; }
  /// To be called after a change where syncfs proves nothing: an entry has other content or attributes or,
  /// without a name, the directory has other names.
  Result<void> changed(std::string_view location, std::string_view name);

 private:
  UniqueFd root_;
  mode_t umask_;
  const std::size_t spare_handles_;  ///< that could be opened when this was, beyond what a sync needs
  const Habits habits_;              ///< of the root's file system
  std::optional<std::uint64_t> device_;
  const std::shared_ptr<Claim> claim_;
  Resolver resolver_;
  Unflushed unflushed_;
  Mounts mounts_;
};

}  // namespace ssync::fs
