// The last look at what a sync made right: when the file system's clock has ticked on, so that a later change
// must show in the stat. What it sees goes into the index as `held` and into the tree digest.
#pragma once

#include <chrono>
#include <optional>

#include "ssync/base/thread.h"
#include "ssync/fs/tree.h"
#include "ssync/model/change.h"
#include "ssync/model/tree_digest.h"

#include "sync_context.h"

namespace ssync::mirror {

/// What the sealer found.
struct Sealed {
  TreeDigest digest;  ///< of all that is as it was made
  /// Entries that were not what the sync had made them when they were looked at (the first
  /// Sealer::kProblemsMax, and how many more there were), and, as a warning, times that the mirror cannot
  /// keep.
  std::vector<Problem> problems;
};

/// Ends when the queue of items is closed and drained. Owns its thread.
class Sealer {
 public:
  explicit Sealer(SyncContext& context);
  ~Sealer();
  /// Closes the queue and waits for the end. Errors: the index log cannot be written.
  [[nodiscard]] Result<void> finish();
  /// After finish().
  [[nodiscard]] Sealed take();

  static constexpr std::size_t kProblemsMax = 100;

 private:
  void run();
  Result<void> seal(const SealItem& item);
  Result<void> keep_for_retry(const SealItem& item, const Seen& seen);
  void disturbed(const SealItem& item, std::string what);
  void look_at_time(const SealItem& item);
  Result<Seen> seen_after_tick(const SealItem& item);

  SyncContext& context_;
  TreeDigest digest_;
  std::string open_location_;
  std::unique_ptr<fs::Directory> directory_;
  Result<void> outcome_;
  std::vector<Problem> problems_;
  std::uint64_t more_problems_ = 0;  ///< beyond kProblemsMax
  std::optional<Problem> odd_time_;  ///< the first
  std::uint64_t odd_times_ = 0;
  Thread thread_;
};

}  // namespace ssync::mirror
