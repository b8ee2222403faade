// Which directories are to be read, are being read, and wait to be handed out; the order among them, and how
// far ahead the reading may run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/mutex.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"
#include "ssync/scanner/scanner.h"

#include "merge.h"

namespace ssync::scanner {

/// A directory that was found in its parent. It is opened and listed while the parent is read: if that fails,
/// its row in the parent's block says that it is unreadable. Once the parent's block is out, a failure could
/// no longer be reported there, and the missing entries would pass for deleted ones. A directory whose names
/// the index knows is not listed; only if these names turn out to be wrong is it listed after all, when it is
/// read.
struct Child {
  std::string name;
  bool descend = true;  ///< false: it appears as an empty directory
  fs::StableFields stable;
  std::unique_ptr<fs::Directory> handle;     ///< still open, while few are
  std::unique_ptr<fs::NameList> names;       ///< while not too many are kept
  std::optional<std::uint32_t> known_names;  ///< not listed: they are those that the base has, so many
  std::uint64_t device = 0;                  ///< that it is on
  std::optional<std::string> was_at;         ///< the location it had there, if that was another one
};

/// A directory that was read. `children` is sorted by name.
struct Finding {
  ScanBlock block;
  bool is_as_before = false;           ///< the base's records of this directory are the next base's too
  std::vector<index::Record> records;  ///< else: of the entries, for the next base; parallel to them
  std::vector<bool> keep_record;       ///< false: nothing is known of it, no record
  std::optional<index::Record> self;   ///< of the root
  std::vector<Child> children;
  std::uint64_t hard_links = 0, reserved = 0;
  UnmirroredCounts unmirrored;
  std::vector<std::string> leftovers;  ///< names of what was staged in it
  std::optional<Error> error;          ///< then the scan ends here
};

struct LocationOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept {
    return compare_locations(a, b) < 0;
  }
};
/// Directories by location: being read (null), or read.
using TakenDirectories = std::map<std::string, std::unique_ptr<Finding>, LocationOrder>;

struct Task {
  TakenDirectories::iterator place;  ///< for finish()
  std::string location;
  Child child;
};

/// Thread safety: any thread. Blocking: take() and next(); stop() wakes both.
class Frontier {
 public:
  /// Starts with the root. `window`: entries that may wait to be handed out.
  explicit Frontier(std::size_t window);

  /// The first directory in order that nobody reads. Waits while the window is full, unless it is the one
  /// that next() waits for: so the reading never stands still. nullopt: there is none left, or stopped.
  [[nodiscard]] std::optional<Task> take() SSYNC_EXCLUDES(mutex_);
  /// The outcome of the task with this place, with the directories it found.
  void finish(TakenDirectories::iterator place, std::unique_ptr<Finding> finding) SSYNC_EXCLUDES(mutex_);
  /// The next directory in order. Null: the end, or stopped.
  [[nodiscard]] std::unique_ptr<Finding> next() SSYNC_EXCLUDES(mutex_);

  void stop() noexcept SSYNC_EXCLUDES(mutex_);
  [[nodiscard]] bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }

 private:
  /// The directories found in one, from `next` on. Keeping them together costs far less than a queue entry
  /// each.
  struct Siblings {
    std::string location;  // of their parent
    std::vector<Child> children;
    std::size_t next = 0;
    [[nodiscard]] std::string next_location() const { return join({location, children[next].name}); }
  };

  [[nodiscard]] bool may_take() const SSYNC_REQUIRES(mutex_);
  [[nodiscard]] bool all_taken() const SSYNC_REQUIRES(mutex_) { return waiting_.empty() && reading_ == 0; }

  const std::size_t window_;
  std::atomic<bool> stopped_{false};

  mutable Mutex mutex_;
  CondVar work_, found_;
  // By the location of the first that is left of them.
  std::map<std::string, Siblings, LocationOrder> waiting_ SSYNC_GUARDED_BY(mutex_);
  TakenDirectories taken_ SSYNC_GUARDED_BY(mutex_);
  std::size_t reading_ SSYNC_GUARDED_BY(mutex_) = 0;
  std::size_t found_since_ SSYNC_GUARDED_BY(mutex_) = 0;  ///< the emitter was woken
  std::size_t entries_ahead_ SSYNC_GUARDED_BY(mutex_) = 0;
};

}  // namespace ssync::scanner
