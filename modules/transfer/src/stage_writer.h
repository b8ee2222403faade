#pragma once

// One writing thread: pieces of messages -> complete, verified files in staging.

#include <atomic>
#include <functional>
#include <vector>

#include "incoming.h"
#include "ledger.h"
#include "placing.h"

namespace ssync::transfer {

/// Thread safety: one thread, but for `stopping`.
class StageWriter {
 public:
  StageWriter(Ledger& ledger, Placing& placing, const std::atomic<bool>& stopping)
      : ledger_(ledger), placing_(placing), stopping_(stopping) {}

  /// Writes or discards all of it, then returns its credit. Files that cannot be written are reported as
  /// failed.
  void work(const Part& part);
  /// The files completed since the last call. They are the caller's.
  [[nodiscard]] std::vector<Ready> take_ready();
  /// Drops what is unfinished.
  void abandon() noexcept;

 private:
  [[nodiscard]] Result<void> write(Incoming& file, const wire::Segment& segment,
                                   std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> write_whole(Incoming& file, const wire::Segment& segment,
                                         std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> begin(Incoming& file);
  [[nodiscard]] Result<void> write_piece(Unfinished& unfinished, const wire::Segment& segment,
                                         std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> complete(Incoming& file, const wire::Ending& ending);
  [[nodiscard]] Result<void> pass_hole(Unfinished& unfinished, std::uint64_t end);
  void drop_unfinished(Incoming& file) noexcept;
  void report_failure(Incoming& file, const Error& error);

  Ledger& ledger_;
  Placing& placing_;
  const std::atomic<bool>& stopping_;
  std::vector<Incoming*> unfinished_;
  std::vector<Ready> ready_;
};

}  // namespace ssync::transfer
