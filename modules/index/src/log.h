// The log beside a base: what became known after the base was written. Appended, replayed when opened, and
// started anew with each new base.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ssync/base/mutex.h"
#include "ssync/base/unique_fd.h"

#include "damage.h"
#include "log_frame.h"
#include "offset_map.h"
#include "state_files.h"

namespace ssync::index {

/// Thread safety: any thread. Memory: what was not flushed yet (at most kPendingMax), and a table of 14 to 21
/// bytes an entry. The table has the entries that were in the file when it was opened. After kUnasked appends
/// without a find() between them, further entries are put in only when find() is called: so a first copy,
/// which only appends, pays for no table.
class Log {
 public:
  /// Replays the log of the base of this generation; one of another generation is left over from before a
  /// crash and is ignored. `files` must outlive it. Errors: I/O only.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const StateFiles& files, std::uint64_t generation,
                                                         std::shared_ptr<Damage> damage);

  /// One that is never read nor written. Nothing may be appended.
  [[nodiscard]] static std::unique_ptr<Log> none(const StateFiles& files, std::shared_ptr<Damage> damage) {
    return std::unique_ptr<Log>(new Log(files, 0, std::move(damage)));
  }

  enum class Found : std::uint8_t { record, removed, none, unreadable };
  /// `hash` is path_hash() of the path.
  [[nodiscard]] Found find(std::uint64_t hash, PathView path, Record& record) const SSYNC_EXCLUDES(mutex_);
  /// No entry at all: find() need not be asked. Cheap.
  [[nodiscard]] bool empty() const noexcept { return empty_.load(std::memory_order_acquire); }
  [[nodiscard]] std::optional<Header> header() const SSYNC_EXCLUDES(mutex_);
  /// Size of the file's records and of those that are pending; the file's head is not counted.
  [[nodiscard]] std::uint64_t size_bytes() const SSYNC_EXCLUDES(mutex_);

  /// `record` null: removed. Errc::no_space and the like only when much is pending; nothing is lost by a
  /// failed flush.
  [[nodiscard]] Result<void> append(PathView path, const Record* record) SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] Result<void> append_header(const Header& header) SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] Result<void> flush(Index::Durable durable) SSYNC_EXCLUDES(mutex_);

  /// A place in the log, for restart().
  [[nodiscard]] std::uint64_t mark() const SSYNC_EXCLUDES(mutex_);
  /// A log for another base: only the entries appended since `mark`, and this header if there is one. No file
  /// when that is nothing. On an error the old log is gone or useless on disk, and what was kept is known to
  /// this process only.
  [[nodiscard]] Result<void> restart(std::uint64_t generation, std::uint64_t mark, const Header* header)
      SSYNC_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kPendingFlush = 1024 * 1024;
  static constexpr std::size_t kPendingMax = 16 * 1024 * 1024;
  /// After so many appends without a find() between them the table is filled only when it is needed.
  static constexpr std::size_t kUnasked = 4096;

  Log(const StateFiles& files, std::uint64_t generation, std::shared_ptr<Damage> damage)
      : files_(files), damage_(std::move(damage)), generation_(generation) {}

  [[nodiscard]] Result<void> replay() SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] Result<void> replay_frames(std::uint64_t file_size) SSYNC_REQUIRES(mutex_);
  void replay_header(ByteSpan payload) SSYNC_REQUIRES(mutex_);
  void replay_entry(const LogFrame& frame, ByteSpan payload, std::uint64_t offset) const
      SSYNC_REQUIRES(mutex_);
  void remember(std::uint64_t hash, PathView path, LogKind kind, std::uint64_t offset) const
      SSYNC_REQUIRES(mutex_);
  void catch_up() const SSYNC_REQUIRES(mutex_);
  template <typename BytesAt>
  void catch_up(std::uint64_t end, BytesAt&& bytes_at) const SSYNC_REQUIRES(mutex_);
  [[nodiscard]] std::optional<LogFrame> read(std::uint64_t offset, LogEntry& entry) const
      SSYNC_REQUIRES(mutex_);
  [[nodiscard]] bool read_bytes(std::uint64_t offset, std::span<std::uint8_t> into) const
      SSYNC_REQUIRES(mutex_);
  [[nodiscard]] bool read_file(std::uint64_t offset, std::span<std::uint8_t> into) const
      SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> write_pending() SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> open_for_appending() SSYNC_REQUIRES(mutex_);
  void move_pending(std::uint64_t from, std::uint64_t to) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> after_append(std::size_t before) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] bool take_over_by(Log& other);

  // Fixed after construction.
  const StateFiles& files_;
  const std::shared_ptr<Damage> damage_;

  std::atomic<bool> empty_{true};

  mutable Mutex mutex_;
  std::uint64_t generation_ SSYNC_GUARDED_BY(mutex_);
  UniqueFd fd_ SSYNC_GUARDED_BY(mutex_);
  std::optional<Error> read_only_ SSYNC_GUARDED_BY(mutex_);     // why fd_ is not for writing
  std::uint64_t end_ SSYNC_GUARDED_BY(mutex_) = kLogHeadBytes;  // of what is in the file; pending_ follows
  Out pending_ SSYNC_GUARDED_BY(mutex_);
  std::optional<Header> header_ SSYNC_GUARDED_BY(mutex_);
  // The value is an offset and in its lowest two bits a Mark.
  mutable OffsetMap map_ SSYNC_GUARDED_BY(mutex_);
  mutable std::uint64_t known_end_ SSYNC_GUARDED_BY(mutex_) = kLogHeadBytes;  // map_ has what lies before
  mutable bool lost_ SSYNC_GUARDED_BY(mutex_) = false;  // map_ lacks some, as the file could not be read
  mutable std::size_t unasked_ SSYNC_GUARDED_BY(mutex_) = 0;  // appended since the last find()
  mutable std::vector<std::uint8_t> payload_ SSYNC_GUARDED_BY(mutex_);
  // A stretch of the file, so that entries asked for in the order of appending, which is often row order,
  // share reads.
  mutable std::array<std::uint8_t, 8192> window_ SSYNC_GUARDED_BY(mutex_){};
  mutable std::uint64_t window_begin_ SSYNC_GUARDED_BY(mutex_) = 0;
  mutable std::size_t window_size_ SSYNC_GUARDED_BY(mutex_) = 0;
  bool unflushed_ SSYNC_GUARDED_BY(mutex_) = false;  // written, not yet fsynced
};

}  // namespace ssync::index
