// Files that were written lately and rest now are read once more: a store through a shared mapping may have
// left no trace in any stat.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ssync/content/content.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"

namespace ssync::source {

/// A shared mapping's first store into a clean page moves mtime and ctime; the later ones do not, until the
/// page has been written back (half a minute on a disk; on tmpfs never). So the content of a file whose ctime
/// was young when it was read may be another by now, under the same stat.
///
/// A file is due when its ctime was not older than kFreshS at the listing before this one, and has passed one
/// of the ages of kAges (audit.cc) since then: so it is read seven times at most, with a minute between syncs
/// once or twice. Each sync has a budget for this; files as such programs have them (their size is a multiple
/// of a page) have one of their own. What exceeds a budget is not read, and only --checksum would find it.
///
/// Thread safety: one thread.
class Audit {
 public:
  struct Budget {
    std::uint64_t files = 256;
    std::uint64_t bytes = 16U << 20U;
  };
  static constexpr std::int64_t kFreshS = 300;

  /// `before`, `now`: when the tree was listed the last time, and this time. The tree must outlive it.
  Audit(fs::Tree& tree, std::optional<FileTime> before, FileTime now)
      : tree_(tree), before_(before), now_(now) {}
  /// For tests.
  void set_budgets(Budget paged, Budget other) {
    paged_ = paged;
    other_ = other;
  }

  /// Whether an entry is due. Cheap.
  [[nodiscard]] bool is_due(const ScannedEntry& entry) const;
  /// Reads it. True: the content is not what `entry.checksum` says, under the same stat. False also when the
  /// budget is spent, `progress` said false, the file cannot be read, or has another stat now: a sync sees
  /// that anyway. Requires: is_due().
  [[nodiscard]] bool differs(const std::string& location, const ScannedEntry& entry,
                             const std::function<bool(std::uint64_t)>& progress);
  [[nodiscard]] std::uint64_t files_read() const noexcept { return files_read_; }

 private:
  fs::Tree& tree_;
  const std::optional<FileTime> before_;
  const FileTime now_;
  Budget paged_{256, 256U << 20U};
  Budget other_;
  std::uint64_t files_read_ = 0;
  std::string location_;
  std::unique_ptr<fs::Directory> directory_;
  content::ContentReader reader_;
};

}  // namespace ssync::source
