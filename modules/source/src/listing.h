// What one mirror is told of a source: rows or directory sums, in messages; the tree digest; what is left
// out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/mutex.h"
#include "ssync/content/content.h"
#include "ssync/fs/tree.h"
#include "ssync/model/snapshot.h"
#include "ssync/model/tree_digest.h"
#include "ssync/wire/codec.h"

#include "asked_rows.h"
#include "feed.h"

namespace ssync::source {

/// Fed by the feed's thread until the whole list is in the queue. One other thread, that which pops the
/// items, may say what became of rows meanwhile; the rest is for after the last item.
class Listing final : public Fed {
 public:
  struct Options {
    Attributes attributes;
    bool compare_content = false;  ///< all files are in doubt, no checksum is sent, digests fold checksums
    std::optional<DigestKind> eager_digest;  ///< compute it for every file
    bool directory_sums = false;             ///< list directories; their rows only when asked for
  };
  /// The list's next message, or what ended the scan.
  using Message = std::variant<wire::FileListEncoder::Encoded, wire::DirectoryList>;
  using Item = Result<Message>;

  /// All must outlive it. To be added to `feed`. Who closes `queue` wants no more.
  Listing(fs::Tree& tree, Feed& feed, Options options, BoundedQueue<Item>& queue);

  // The feed's.
  [[nodiscard]] Result<void> take(const ScanBlock& block, RowId first) override;
  [[nodiscard]] Result<void> end() override;
  void fail(const Error& error) override;
  [[nodiscard]] bool is_closed() const override { return queue_.closed(); }

  // After the last item.
  [[nodiscard]] AskedRows& asked_rows() { return asked_rows_; }

  // At any time.
  /// nullopt: it is not listed, or not yet.
  [[nodiscard]] std::optional<Snapshot::View> row(RowId id) const SSYNC_EXCLUDES(mutex_);
  /// The content of a row is known now: for the digest, and for the index. Requires of learned() and sent():
  /// the row is listed.
  [[nodiscard]] Result<void> learned(RowId id, const content::Content& content) SSYNC_EXCLUDES(mutex_);
  /// A row's file was sent, with these values (it may be newer than the row). `exact`: the stat under which
  /// the file has just this content; absent: none is known.
  [[nodiscard]] Result<void> sent(RowId id, const Values& values, const Checksum& checksum,
                                  const std::optional<Seen>& exact) SSYNC_EXCLUDES(mutex_);
  /// Leaves a path out of the digest.
  void leave_out(const Problem& problem) SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] std::string tree_digest() const SSYNC_EXCLUDES(mutex_);

  [[nodiscard]] std::uint64_t listed() const noexcept { return listed_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] Result<void> take_entries(const ScanBlock& block, std::span<const ScannedEntry> entries)
      SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] Row row_of(const ScanBlock& block, const ScannedEntry& entry, RowId id) const;
  void fold(const Row& row) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> say(const Row& row);
  void add_to_sum(const Row& row);
  [[nodiscard]] Result<void> say_directory(DirectorySum directory);
  [[nodiscard]] Result<void> flush(bool last);
  [[nodiscard]] Result<std::optional<Digest>> eager(const ScanBlock& block, const ScannedEntry& entry);
  [[nodiscard]] Hash128 hash_of(const Snapshot::View& row, RowId id) const SSYNC_REQUIRES(mutex_);
  [[nodiscard]] bool left_out(std::string_view location, RowId id) const SSYNC_REQUIRES(mutex_);

  fs::Tree& tree_;
  Feed& feed_;
  const Options options_;
  BoundedQueue<Item>& queue_;
  wire::FileListEncoder encoder_;
  wire::DirectoryList directories_;  ///< not yet in the queue
  std::size_t directories_bytes_ = 0;
  std::uint64_t rows_said_ = 0;  ///< that they stand for
  std::optional<Hash128> sum_;   ///< of the directory being listed
  std::string directory_location_;
  std::unique_ptr<fs::Directory> directory_;
  content::ContentReader content_reader_;
  RowId next_row_ = 0;
  std::atomic<std::uint64_t> listed_{0};
  AskedRows asked_rows_;

  /// Never held while something blocks.
  mutable Mutex mutex_;
  RowId folded_ SSYNC_GUARDED_BY(mutex_) = 0;  ///< the next row to be folded into the digest
  TreeDigest digest_ SSYNC_GUARDED_BY(mutex_);
  /// Rows whose file was sent with other values.
  std::unordered_map<RowId, Values> newer_ SSYNC_GUARDED_BY(mutex_);
  /// Under compare_content.
  std::unordered_map<RowId, Checksum> checksums_ SSYNC_GUARDED_BY(mutex_);
  /// Whether with all that is below it.
  std::unordered_map<RowId, bool> left_out_rows_ SSYNC_GUARDED_BY(mutex_);
  std::vector<std::string> left_out_subtrees_ SSYNC_GUARDED_BY(mutex_);
};

}  // namespace ssync::source
