#pragma once

// Which files are expected, how far each came, and what became of it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/mutex.h"
#include "ssync/store/incoming.h"
#include "ssync/store/outcomes.h"
#include "ssync/transfer/receiver.h"

namespace ssync::transfer {

/// Thread safety: any thread. A store::Incoming lives until its file was published; if the file failed, as
/// long as the ledger, as late pieces of it may still be on their way.
class Ledger final : public store::Outcomes {
 public:
  /// Larger files do not fill a directory: it would wait for them.
  static constexpr std::uint64_t kFillBytesMax = wire::kChunkBytesMax;
  /// No reader of ours sends more files in pieces at once; each costs a descriptor.
  static constexpr std::size_t kUnfinishedMax = 256;

  Ledger(unsigned writers, BoundedQueue<ReceiveEvent>& events) : writers_(writers), events_(events) {}

  /// When this request is for another directory than the one before, that directory is complete: the part
  /// that is returned tells its writer.
  [[nodiscard]] std::optional<store::Part> expect(Change request);
  /// The same for the directory of the last expect(), without another one.
  [[nodiscard]] std::optional<store::Part> complete_last();
  /// Receiver::limit_growth().
  void limit_growth(std::uint64_t bytes);
  /// The message cut into parts, at most one a writer; one without pieces (for any writer) when nothing in it
  /// is waited for. Errc::protocol as Receiver::accept() says.
  [[nodiscard]] Result<std::vector<store::Part>> accept(wire::DataHead head, Buffer payload);
  /// The part that tells the writer; nullopt when nobody waits for the row any more.
  [[nodiscard]] std::optional<store::Part> give_up(RowId row, const wire::Fail& why);
  [[nodiscard]] std::size_t outstanding() const override;
  /// From now on the events are closed when nothing is outstanding and all credit went back.
  void finish();

  // For writers and publisher.
  void filled(std::vector<store::Filled>& filled) override;
  void written(store::Message& message) override;
  void published(std::vector<store::ReadyFile> files) override;
  void failed(store::Incoming& file, const Error& error) override;
  void failed(store::Incoming& file, Problem problem) override;

 private:
  [[nodiscard]] Result<store::Incoming*> advance(const wire::Segment& segment) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> grow(const store::Incoming& file, std::uint64_t from, std::uint64_t to)
      SSYNC_REQUIRES(mutex_);
  void close_if_done() SSYNC_REQUIRES(mutex_);
  void report(ReceiveEvent event);
  [[nodiscard]] store::Location& location_at(std::string path) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] std::optional<store::Part> complete(store::Location& location) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] static Change request_of(store::Incoming& file);

  // Fixed after construction.
  const unsigned writers_;
  // Own locking.
  BoundedQueue<ReceiveEvent>& events_;

  mutable Mutex mutex_;
  std::unordered_map<RowId, std::unique_ptr<store::Incoming>> files_ SSYNC_GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, std::unique_ptr<store::Location>> locations_ SSYNC_GUARDED_BY(mutex_);
  store::Location* last_location_ SSYNC_GUARDED_BY(mutex_) = nullptr;
  std::size_t outstanding_ SSYNC_GUARDED_BY(mutex_) = 0;
  std::size_t unreported_ SSYNC_GUARDED_BY(mutex_) =
      0;  ///< events of published or failed files that are not in the queue yet
  std::size_t unwritten_ SSYNC_GUARDED_BY(mutex_) = 0;  ///< messages whose credit is still out
  std::size_t unfinished_ SSYNC_GUARDED_BY(mutex_) = 0;
  /// By how much files are larger than their requests say, and may be.
  std::uint64_t grown_ SSYNC_GUARDED_BY(mutex_) = 0;
  std::optional<std::uint64_t> growth_max_ SSYNC_GUARDED_BY(mutex_);
  bool finishing_ SSYNC_GUARDED_BY(mutex_) = false;
};

}  // namespace ssync::transfer
