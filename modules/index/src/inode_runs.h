// The files of a base by inode: collected in row order, wanted in order of their inodes, and far too many to
// hold.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

#include "format.h"
#include "state_files.h"

namespace ssync::index {

/// Sorts by inode, then by the block's offset. Thread safety: one thread at a time. Memory: some MiB; what
/// does not fit goes sorted, run by run, to a file without a name in the state directory, and is merged in
/// the end.
class InodeRuns {
 public:
  /// `files` must outlive it.
  explicit InodeRuns(const StateFiles& files) : files_(files) {}

  /// Errors: those of writing the file.
  [[nodiscard]] Result<void> add(const InodeRef& ref);
  [[nodiscard]] std::uint64_t size() const noexcept { return written_ + held_.size(); }
  /// Gives all of them in order, and is empty then. Errors: those of reading the file, and of `visit`, which
  /// ends it.
  [[nodiscard]] Result<void> take(const std::function<Result<void>(const InodeRef&)>& visit);

 private:
  static constexpr std::size_t kRunRefs = 128 * 1024;
  class Cursor;

  void sort_held();
  [[nodiscard]] Result<void> write_run();
  [[nodiscard]] Result<void> merge(const std::function<Result<void>(const InodeRef&)>& visit);

  const StateFiles& files_;
  std::vector<InodeRef> held_;
  UniqueFd fd_;
  std::uint64_t written_ = 0;  // refs in the file
  std::vector<std::uint64_t> run_ends_;
};

}  // namespace ssync::index
