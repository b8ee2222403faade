#pragma once

// Group commit: staged files get their names in batches, so that the disk is flushed twice a batch and not
// per file.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "ssync/base/mutex.h"
#include "ssync/store/filling.h"
#include "ssync/store/incoming.h"
#include "ssync/store/outcomes.h"
#include "ssync/store/placing.h"

namespace ssync::store {

class Publisher {
 public:
  struct Limits {
    std::uint64_t batch_bytes = 0;
    std::size_t batch_files = 0;
  };
  Publisher(fs::Tree& tree, Outcomes& outcomes, Placing& placing, Limits limits)
      : tree_(tree), outcomes_(outcomes), placing_(placing), limits_(limits) {}
  ~Publisher();  ///< drops what came after stop()
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Takes them over; never blocks. Any thread.
  void add(std::vector<Ready> ready);
  /// What was added so far is published without waiting for more. Any thread.
  void flush();
  /// run() returns; what is not published is dropped. Any thread.
  void stop() noexcept;
  /// Ends when stop() was called.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  /// Blocks until a batch is due; empty: stopped.
  [[nodiscard]] std::vector<Ready> next_batch();
  [[nodiscard]] bool is_full() const SSYNC_REQUIRES(mutex_);
  void commit(std::vector<Ready> batch);
  void fail_all(const std::vector<Ready>& batch, const Error& error);
  void drop(const std::vector<Ready>& batch) noexcept;

  // Fixed after construction.
  fs::Tree& tree_;
  Outcomes& outcomes_;
  Placing& placing_;  ///< run()'s
  const Limits limits_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Ready> ready_ SSYNC_GUARDED_BY(mutex_);
  std::size_t ready_files_ SSYNC_GUARDED_BY(mutex_) = 0;
  std::uint64_t ready_bytes_ SSYNC_GUARDED_BY(mutex_) = 0;
  Clock::time_point first_at_ SSYNC_GUARDED_BY(mutex_);
  Clock::time_point last_at_ SSYNC_GUARDED_BY(mutex_);
  bool flush_ SSYNC_GUARDED_BY(mutex_) = false;
  bool stopping_ SSYNC_GUARDED_BY(mutex_) = false;
};

}  // namespace ssync::store
