#pragma once

// One writing thread: pieces of messages -> complete, verified files in staging.

#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "ssync/store/filling.h"
#include "ssync/store/incoming.h"
#include "ssync/store/outcomes.h"
#include "ssync/store/placing.h"

namespace ssync::store {

/// Thread safety: one thread, but for `stopping`.
class StageWriter {
 public:
  StageWriter(Outcomes& outcomes, Placing& placing, std::chrono::milliseconds age,
              const std::atomic<bool>& stopping)
      : outcomes_(outcomes), placing_(placing), filling_(placing, age), stopping_(stopping) {}

  /// Writes or discards all of it, then returns its credit. Files that cannot be written are reported as
  /// failed.
  void work(const Part& part);
  /// The files completed since the last call, and directories that are old enough. They are the caller's.
  [[nodiscard]] std::vector<Ready> take_ready();
  /// When a directory will be old enough.
  [[nodiscard]] std::optional<Filling::Clock::time_point> next_ready() const { return filling_.next_aged(); }
  /// Drops what is unfinished.
  void abandon() noexcept;

 private:
  [[nodiscard]] Result<void> write(Incoming& file, const wire::Segment& segment,
                                   std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> write_whole(Incoming& file, const wire::Segment& segment,
                                         std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> write_into(fs::Directory& directory, Incoming& file,
                                        const wire::Segment& segment, std::span<const std::byte> bytes);
  void count_filled(Incoming& file);
  void close_filled();
  [[nodiscard]] Result<void> begin(Incoming& file);
  [[nodiscard]] Result<void> write_piece(Unfinished& unfinished, const wire::Segment& segment,
                                         std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> complete(Incoming& file, const wire::Ending& ending);
  [[nodiscard]] Result<void> pass_hole(Unfinished& unfinished, std::uint64_t end);
  void drop_unfinished(Incoming& file) noexcept;
  void report_failure(Incoming& file, const Error& error);

  Outcomes& outcomes_;
  Placing& placing_;
  Filling filling_;
  const std::atomic<bool>& stopping_;
  std::vector<Incoming*> unfinished_;
  Ready ready_;
  std::vector<Filled> filled_;  ///< counted while working on one part
};

}  // namespace ssync::store
