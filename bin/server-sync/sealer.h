// The last look at what a sync made right: when the file system's clock has ticked on, so that a later change
// must show in the stat. What it sees goes into the index as `held` and into the tree digest.
#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "ssync/base/bounded_queue.h"
#include "ssync/fs/tree.h"
#include "ssync/model/change.h"
#include "ssync/model/tree_digest.h"

#include "sync_parts.h"

namespace ssync::server_program {

struct SealItem {
  PathView path() const noexcept { return {location, name}; }
  std::string location, name;
  Values wanted;
  std::string target;
  std::optional<Checksum> checksum;
  std::optional<Digest> digest;
  std::optional<Seen> seen;  ///< looked at already
  RowId row = kNoRow;
  bool retry =
      false;  ///< its content is proof of nothing: left out of the digest, asked for again first thing
};
using SealBatch = std::vector<SealItem>;

/// Ends when `items` is closed and drained. Owns its thread.
class Sealer {
 public:
  struct Options {
    Attributes attributes;
    bool fold_checksums = false;  ///< --checksum, --verify
  };
  /// `digest` is this thread's until finish() returned.
  Sealer(fs::Tree& tree, SharedIndex& index, TreeDigest& digest, Options options,
         BoundedQueue<SealBatch>& items);
  ~Sealer();
  /// Closes the queue and waits for the end. Errors: the index log cannot be written.
  [[nodiscard]] Result<void> finish();
  /// What is to be told, after finish(): entries that were not what the sync had made them when they were
  /// looked at (the first kProblemsMax, and how many more there were), and, as a warning, times that the
  /// mirror cannot keep.
  [[nodiscard]] std::vector<Problem> take_problems();

  static constexpr std::size_t kProblemsMax = 100;

 private:
  void run();
  Result<void> seal(const SealItem& item);
  Result<void> keep_for_retry(const SealItem& item, const Seen& seen);
  void disturbed(const SealItem& item, std::string what);
  void look_at_time(const SealItem& item);
  Result<Seen> settled(const SealItem& item);

  fs::Tree& tree_;
  SharedIndex& index_;
  TreeDigest& digest_;
  const Options options_;
  BoundedQueue<SealBatch>& items_;
  std::string open_location_;
  std::unique_ptr<fs::Directory> directory_;
  Result<void> outcome_;
  std::vector<Problem> problems_;
  std::uint64_t more_problems_ = 0;  ///< beyond kProblemsMax
  std::optional<Problem> odd_time_;  ///< the first
  std::uint64_t odd_times_ = 0;
  std::jthread thread_;
};

}  // namespace ssync::server_program
