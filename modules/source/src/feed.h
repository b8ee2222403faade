// The source as scanned in one sync: the scan, what the index remembers of it, and its entries by number. One
// a source; it feeds any number of listings, one a mirror.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/mutex.h"
#include "ssync/base/result.h"
#include "ssync/base/thread.h"
#include "ssync/content/content.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/snapshot.h"
#include "ssync/scanner/scanner.h"

#include "audit.h"

namespace ssync::source {

/// Whoever is given the scan: called in the feed's thread, which waits until the call returns.
class Fed {
 public:
  virtual ~Fed() = default;
  /// The next directory; its entries have the rows from `first` on (the root's own first of all).
  /// Errc::closed: it wants no more. Any other error ends the scan for all.
  [[nodiscard]] virtual Result<void> take(const ScanBlock& block, RowId first) = 0;
  /// There is no more, and the index tells of this scan. Errors as take().
  [[nodiscard]] virtual Result<void> end() = 0;
  /// The scan failed.
  virtual void fail(const Error& error) = 0;
  /// It wants no more. Any thread.
  [[nodiscard]] virtual bool is_closed() const = 0;
};

/// Runs in its own thread from start() until everybody has the whole tree.
class Feed {
 public:
  struct Options {
    DigestKind digest_kind = DigestKind::sha256;
    bool with_digests = false;  ///< entries carry the digests that the index knows
    bool reads_content =
        false;  ///< all content is compared anyway: stats are not trusted, and none is audited
    bool accept_missing_mounts = false;
    std::vector<std::string> leave_out;         ///< see scanner::Options
    std::optional<fs::DirectoryId> other_root;  ///< likewise
  };
  /// `header` becomes the index's. All must outlive it.
  Feed(fs::Tree& tree, index::Index& index, index::Header header, Options options);
  ~Feed();  ///< stop(), and waits for the thread: whoever it feeds must want no more, or take all
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// Before start(). `fed` must outlive the feed's thread.
  void add(Fed& fed) { fed_.push_back(&fed); }
  void start();
  void stop() noexcept;

  // After the end.
  [[nodiscard]] scanner::Counts counts() const { return scanner_.counts(); }
  /// Problems of the scan, warnings included.
  [[nodiscard]] std::vector<Problem> take_problems() { return std::move(problems_); }
  [[nodiscard]] const Snapshot& rows() const SSYNC_NO_THREAD_SAFETY_ANALYSIS { return rows_; }
  [[nodiscard]] const index::Index& index() const { return index_; }

  // At any time, any thread.
  /// nullopt: it is not scanned, or not yet. The view stays valid.
  [[nodiscard]] std::optional<Snapshot::View> row(RowId id) const SSYNC_EXCLUDES(rows_mutex_);
  /// Keeps in the index what was learnt by reading a file, so that the next sync need not read it again.
  /// Requires: `path` was scanned.
  [[nodiscard]] Result<void> remember(PathView path, std::uint8_t unmirrored, const content::Content& content)
      SSYNC_EXCLUDES(index_mutex_);
  /// The same for a row.
  [[nodiscard]] Result<void> remember(const Snapshot::View& row, const content::Content& content)
      SSYNC_EXCLUDES(index_mutex_);
  /// False: the index's new base is being written, and much that was remembered waits for that. Do not
  /// remember more for now; there is room again when the list has ended.
  [[nodiscard]] bool has_room() const SSYNC_EXCLUDES(index_mutex_);

 private:
  void run();
  [[nodiscard]] Result<void> scan();
  [[nodiscard]] Result<void> feed(const ScanBlock& block);
  [[nodiscard]] Result<RowId> keep(const ScanBlock& block) SSYNC_EXCLUDES(rows_mutex_);
  template <typename Give>
  [[nodiscard]] Result<void> give(Give to);
  [[nodiscard]] Result<void> audit(ScanBlock& block) SSYNC_EXCLUDES(index_mutex_);
  [[nodiscard]] bool is_wanted() const;
  [[nodiscard]] Result<void> commit_index() SSYNC_EXCLUDES(index_mutex_);
  [[nodiscard]] Result<void> append(PathView path, const index::Record& record) SSYNC_EXCLUDES(index_mutex_);

  fs::Tree& tree_;
  index::Index& index_;
  const index::Header header_;
  const Options options_;
  std::vector<Fed*> fed_;
  scanner::Scanner scanner_;
  const FileTime scan_clock_;
  Audit audit_;
  std::vector<Problem> problems_;

  /// Never held while something blocks. The views stay valid without it.
  mutable Mutex rows_mutex_;
  Snapshot rows_ SSYNC_GUARDED_BY(rows_mutex_);

  struct Appended {
    std::string location, name;
    index::Record record;
  };
  static constexpr std::size_t kMeanwhileMax = 16 * 1024;  ///< files; some MiB
  mutable Mutex index_mutex_;                              ///< for appending
  bool is_committing_ SSYNC_GUARDED_BY(index_mutex_) = false;
  std::vector<Appended> meanwhile_ SSYNC_GUARDED_BY(index_mutex_);  ///< waits for the new base

  Thread thread_;  ///< last: it uses the rest
};

}  // namespace ssync::source
