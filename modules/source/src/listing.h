// The source as listed in one sync: scanned once, sent row by row, kept for lookups by row, folded into the
// tree digest.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/mutex.h"
#include "ssync/content/content.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/snapshot.h"
#include "ssync/model/tree_digest.h"
#include "ssync/scanner/scanner.h"
#include "ssync/wire/codec.h"

#include "asked_rows.h"
#include "audit.h"

namespace ssync::source {

/// Runs in its own thread from start() until the whole list is in the queue. One other thread, that which
/// pops the items, may look rows up and say what became of them meanwhile; the rest is for after the last
/// item.
class Listing {
 public:
  struct Options {
    Attributes attributes;
    bool compare_content = false;  ///< all files are in doubt, no checksum is sent, digests fold checksums
    std::optional<DigestKind> eager_digest;  ///< compute it for every file
    DigestKind digest_kind = DigestKind::sha256;
    bool accept_lost_mounts = false;
    std::vector<std::string> leave_out;         ///< see scanner::Options
    std::optional<fs::DirectoryId> other_root;  ///< likewise
    bool directory_sums = false;                ///< list directories; their rows only when asked for
  };
  /// The list's next message, or what ended the scan.
  using Message = std::variant<wire::FileListEncoder::Encoded, wire::DirectoryList>;
  using Item = Result<Message>;

  Listing(fs::Tree& tree, index::Index& index, index::Header header, Options options,
          BoundedQueue<Item>& queue);
  ~Listing();
  void start();
  void stop() noexcept;

  // After the last item.
  [[nodiscard]] AskedRows& asked_rows() { return asked_rows_; }
  /// Of the source, as scanned.
  [[nodiscard]] scanner::Counts counts() const { return scanner_.counts(); }
  /// Problems of the scan, warnings included.
  [[nodiscard]] std::vector<Problem> take_problems() { return std::move(problems_); }

  // At any time.
  /// nullopt: it is not listed, or not yet.
  [[nodiscard]] std::optional<Snapshot::View> row(RowId id) const SSYNC_EXCLUDES(mutex_);
  /// The content of a row is known now: for the digest, and for the index.
  /// Requires of both: a row that is listed.
  [[nodiscard]] Result<void> learned(RowId id, const content::Content& content) SSYNC_EXCLUDES(mutex_);
  /// A row was sent with these values (a file may be newer than its row).
  [[nodiscard]] Result<void> sent(RowId id, const Values& values, const Checksum& checksum,
                                  const std::optional<Seen>& exact) SSYNC_EXCLUDES(mutex_);
  /// False: much that was sent waits for the index, whose new base is being written; send no more for now.
  /// What follows the base in the queue is the sign that it is there.
  [[nodiscard]] bool has_room() const SSYNC_EXCLUDES(index_mutex_);
  /// Leaves a path out of the digest.
  void leave_out(const Problem& problem) SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] std::string tree_digest() const SSYNC_EXCLUDES(mutex_);

  [[nodiscard]] std::uint64_t listed() const noexcept { return listed_.load(std::memory_order_relaxed); }

 private:
  void run();
  [[nodiscard]] Result<void> list();
  [[nodiscard]] Result<void> list_block(const ScanBlock& block);
  [[nodiscard]] Result<void> audit(ScanBlock& block) SSYNC_EXCLUDES(index_mutex_);
  [[nodiscard]] Result<void> commit_index() SSYNC_EXCLUDES(index_mutex_);
  [[nodiscard]] Result<void> list_entries(const ScanBlock& block, std::span<const ScannedEntry> entries)
      SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] Row row_of(const ScanBlock& block, const ScannedEntry& entry, RowId id) const;
  [[nodiscard]] Result<void> keep(const Row& row, const ScannedEntry& entry) SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> say(const Row& row);
  void add_to_sum(const Row& row);
  [[nodiscard]] Result<void> say_directory(DirectorySum directory);
  [[nodiscard]] Result<void> flush(bool last);
  [[nodiscard]] Result<std::optional<Digest>> eager(const ScanBlock& block, const ScannedEntry& entry);
  [[nodiscard]] Snapshot::View view(RowId id) const SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Hash128 hash_of(RowId id) const SSYNC_REQUIRES(mutex_);
  [[nodiscard]] bool left_out(const Snapshot::View& row, RowId id) const SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> remember(PathView path, std::uint8_t unmirrored, const Seen& seen,
                                      const std::optional<Checksum>& checksum,
                                      const std::optional<Digest>& digest) SSYNC_EXCLUDES(index_mutex_);
  [[nodiscard]] Result<void> append(PathView path, const index::Record& record) SSYNC_EXCLUDES(index_mutex_);

  fs::Tree& tree_;
  index::Index& index_;
  const index::Header header_;
  const Options options_;
  BoundedQueue<Item>& queue_;
  scanner::Scanner scanner_;
  wire::FileListEncoder encoder_;
  wire::DirectoryList directories_;  ///< not yet in the queue
  std::size_t directories_bytes_ = 0;
  std::uint64_t rows_said_ = 0;  ///< that they stand for
  std::optional<Hash128> sum_;   ///< of the directory being listed
  std::vector<Problem> problems_;
  const FileTime scan_clock_;
  Audit audit_;
  std::string directory_location_;
  std::unique_ptr<fs::Directory> directory_;
  content::ContentReader content_reader_;
  std::uint64_t next_row_ = 0;
  std::atomic<std::uint64_t> listed_{0};

  /// Never held while something blocks. Of rows_, the views stay valid without it.
  mutable Mutex mutex_;
  Snapshot rows_ SSYNC_GUARDED_BY(mutex_);
  TreeDigest digest_ SSYNC_GUARDED_BY(mutex_);
  /// Rows whose file was sent with other values.
  std::unordered_map<RowId, Values> newer_ SSYNC_GUARDED_BY(mutex_);
  /// Under compare_content.
  std::unordered_map<RowId, Checksum> checksums_ SSYNC_GUARDED_BY(mutex_);
  std::unordered_map<RowId, bool> left_out_rows_ SSYNC_GUARDED_BY(mutex_);
  std::vector<std::string> left_out_subtrees_ SSYNC_GUARDED_BY(mutex_);

  struct Appended {
    std::string location, name;
    index::Record record;
  };
  static constexpr std::size_t kMeanwhileMax = 16 * 1024;  ///< files; some MiB
  mutable Mutex index_mutex_;  ///< for appending, which any of the two threads does
  bool is_committing_ SSYNC_GUARDED_BY(index_mutex_) = false;
  std::vector<Appended> meanwhile_ SSYNC_GUARDED_BY(index_mutex_);  ///< waits for the new base

  AskedRows asked_rows_;  ///< reads rows_ when nothing is added to them any more
  std::jthread thread_;
};

}  // namespace ssync::source
