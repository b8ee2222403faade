// What the phases of a plan share: both trees, and what was decided so far.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/model/origins.h"
#include "ssync/model/snapshot.h"
#include "ssync/model/tree_digest.h"
#include "ssync/planner/planner.h"

#include "subtree_set.h"

namespace ssync::planner {

/// Position of a row in State::rows.
using RowIndex = std::uint32_t;
inline constexpr RowIndex kNoIndex = ~RowIndex{0};

/// Flags of mirror entries. An entry with neither of the first two is gone from the source: extra, or in the
/// way of another kind.
inline constexpr EntryFlags kStays = kFlagA;  ///< the source has it, of the same kind
inline constexpr EntryFlags kProtected =
    kFlagB;  ///< at or below a Problem, or above one: neither removed nor moved
inline constexpr EntryFlags kMoved = kFlagC;  ///< a rename or exchange takes it from its path

/// What becomes of a row.
enum class Action : std::uint8_t {
  left_out,  ///< a Problem here or above
  same,      ///< right as it is; in the tree digest
  record,    ///< right, and the index has to learn it
  metadata,
  make_directory,
  move_directory,  ///< with all that is in it; `from` is the mirror's directory
  moved,           ///< in one of those; `from` is the entry, kMetaSame is up to date
  make_link,
  make_empty,
  compare,       ///< undecided: is the content the same (rule 6)
  find_content,  ///< undecided: where does the content come from
  copy,
  rename,
  request,
};

/// Facts about a row.
using Facts = std::uint16_t;
inline constexpr Facts kReplaces =
    1;  ///< the mirror's entry at its path (the row's tag) has another kind or spelling, and must go first
inline constexpr Facts kLate =
    2;  ///< this row, or a directory above it, has kReplaces: nothing can be put there before the removals
inline constexpr Facts kTouched = 4;   ///< a directory in which something was made, replaced or removed
inline constexpr Facts kMetaSame = 8;  ///< once the content is known to be the same, nothing differs
inline constexpr Facts kKnown = 16;    ///< like kMetaSame, and the index would learn nothing either
inline constexpr Facts kTwin =
    32;  ///< its mirror entry has its name in other letters, on a mirror that folds case
inline constexpr Facts kOrdered = 64;  ///< part of the order of local steps
inline constexpr Facts kEarly = 128;   ///< its change was handed out before the plan

/// Kept beside each row of State::rows.
struct Pending {
  EntryIndex from = kNoEntry;  ///< copy, rename, move_directory, moved: what the mirror has already
  Action action = Action::left_out;
  Facts facts = 0;
};

/// Values for a few rows out of many: sorted pairs instead of a field in all.
template <typename T>
class Sparse {
 public:
  void put(RowIndex row, T value) {
    sorted_ = sorted_ && (items_.empty() || items_.back().first < row);
    items_.emplace_back(row, std::move(value));
  }
  /// After put() out of order, before find(). What was put last counts.
  void sort() {
    if (sorted_) return;
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& a, const Item& b) { return a.first < b.first; });
    const auto kept = std::unique(items_.rbegin(), items_.rend(),
                                  [](const Item& a, const Item& b) { return a.first == b.first; });
    items_.erase(items_.begin(), kept.base());
    sorted_ = true;
  }
  [[nodiscard]] const T* find(RowIndex row) const {
    SSYNC_ASSERT(sorted_);
    const auto at = std::lower_bound(items_.begin(), items_.end(), row,
                                     [](const Item& item, RowIndex wanted) { return item.first < wanted; });
    return at != items_.end() && at->first == row ? &at->second : nullptr;
  }
  [[nodiscard]] std::optional<T> get(RowIndex row) const {
    const T* found = find(row);
    return found != nullptr ? std::optional<T>(*found) : std::nullopt;
  }
  /// Takes over what another one learnt.
  void absorb(Sparse& other) {
    if (other.items_.empty()) return;
    for (Item& item : other.items_)
      put(item.first, std::move(item.second));
    other = Sparse();
    sort();
  }
  void clear() { *this = Sparse(); }

 private:
  using Item = std::pair<RowIndex, T>;
  std::vector<Item> items_;
  bool sorted_ = true;
};

/// The first four bytes of a checksum; the tag of mirror files that have one. Two that differ prove that the
/// contents differ.
[[nodiscard]] std::uint32_t prefix_of(const Checksum& checksum) noexcept;
/// XXH3-128 of nothing.
extern const Checksum kEmptyChecksum;

struct State {
  State(Options given, TreeDigest& tree_digest) : options(std::move(given)), digest(tree_digest) {}

  Options options;
  TreeDigest& digest;
  Snapshot mirror;  ///< tags: prefix_of() the proven checksum, with kFlagChecksum
  /// Source rows that are not equal, and all directories. inode: row id; tag: the mirror's entry at the path.
  Snapshot rows;
  std::vector<Pending> pending;  ///< beside rows
  Sparse<Checksum> checksums;    ///< of the source's content: proven, or learnt by asking
  Sparse<Digest> digests;
  Sparse<Checksum> mirror_checksums;     ///< proven ones of entries that are to be compared
  Origins origins;                       ///< of rows with Action::find_content
  bool may_reuse = true;                 ///< the mirror has content, as far as is known
  std::vector<RowIndex> first_requests;  ///< rows whose content is requested before that of others
  Sparse<Checksum> learnt_checksums;     ///< of the phase that runs
  Sparse<Digest> learnt_digests;

  /// Mirror entries that a moved directory brings to a row's path, where the row wants other content of the
  /// same kind; such an entry is the row's tag.
  std::unordered_map<EntryIndex, RowIndex> brought;
  SubtreeSet blocked;                       ///< Problems, with everything below
  std::vector<DirectoryIndex> holding_own;  ///< ascending: see ScanBlock::holds_own
  std::vector<Problem> problems;
  PlanTotals totals;
  std::uint64_t kept_bytes = 0;  ///< content of totals.extras_kept

  [[nodiscard]] bool deletes_allowed() const noexcept { return options.delete_extra == DeleteExtra::yes; }

  /// Appends to rows and keeps the evidence that `action` may need.
  [[nodiscard]] Result<RowIndex> add_row(const Row& row, Action action, Facts facts, EntryIndex at);
  void report(Problem problem);
  /// Right as it is: into the tree digest.
  void fold(PathView path, const Values& values, std::string_view target,
            const std::optional<Checksum>& checksum);
  /// Makes learnt_* part of what is known.
  void absorb_learnt();

  [[nodiscard]] Seen seen(EntryIndex entry) const;
  [[nodiscard]] EntryIndex entry_at(RowIndex row) const { return rows.tag(row); }
  /// The row of the directory `location`. Every location of a row has one.
  [[nodiscard]] std::optional<RowIndex> directory_row(std::string_view location) const;

  void set_mirror_flag(EntryIndex entry, EntryFlags flag) {
    mirror.set_flags(entry, static_cast<EntryFlags>(mirror.flags(entry) | flag));
  }
  void clear_mirror_flag(EntryIndex entry, EntryFlags flag) {
    mirror.set_flags(entry, static_cast<EntryFlags>(mirror.flags(entry) & ~flag));
  }
  [[nodiscard]] bool mirror_has(EntryIndex entry, EntryFlags flag) const {
    return (mirror.flags(entry) & flag) != 0;
  }
  /// Of a file of the mirror; 0 of what is none.
  [[nodiscard]] std::uint64_t content_bytes(EntryIndex entry) const {
    return mirror.kind(entry) == Kind::file ? mirror.file_size(entry) : 0;
  }
  [[nodiscard]] bool is_gone(EntryIndex entry) const { return !mirror_has(entry, kStays | kProtected); }
  [[nodiscard]] bool has(RowIndex row, Facts fact) const { return (pending[row].facts & fact) != 0; }
  void set(RowIndex row, Facts fact) { pending[row].facts = static_cast<Facts>(pending[row].facts | fact); }
};

/// "file", "directory", "symbolic link", "socket, fifo or device".
[[nodiscard]] std::string_view text_of(Kind kind);

/// Lower case, ASCII only: enough for names that differ by typing. What a file system folds beyond that comes
/// out as an occupied path when the change is carried out, and is a Problem then.
[[nodiscard]] std::string fold_case(std::string_view name);
/// Lower case of every letter that has one: for names of which one takes the other's place, where it does no
/// harm to believe in more than the file system folds.
[[nodiscard]] std::string fold_widely(std::string_view name);

/// Goes over a snapshot row by row, so that each unpacked view costs no search for its directory.
class RowWalk {
 public:
  explicit RowWalk(const Snapshot& snapshot) : snapshot_(&snapshot) {}
  [[nodiscard]] bool done() const { return row_ >= snapshot_->size(); }
  [[nodiscard]] RowIndex row() const { return row_; }
  [[nodiscard]] Snapshot::View view() const { return snapshot_->view(row_, directory()); }
  [[nodiscard]] DirectoryIndex directory() const {
    while (snapshot_->rows(directory_).last <= row_)
      ++directory_;
    return directory_;
  }
  void next() { ++row_; }

 private:
  const Snapshot* snapshot_;
  RowIndex row_ = 0;
  mutable DirectoryIndex directory_ = 0;  // of row_ or before; follows when somebody looks
};

/// A RowWalk from the end: what is in a directory comes before the directory's own row.
class ReverseRowWalk {
 public:
  explicit ReverseRowWalk(const Snapshot& snapshot)
      : snapshot_(&snapshot),
        left_(static_cast<RowIndex>(snapshot.size())),
        directory_(static_cast<DirectoryIndex>(snapshot.directories())) {}
  [[nodiscard]] bool done() const { return left_ == 0; }
  [[nodiscard]] RowIndex row() const { return left_ - 1; }
  [[nodiscard]] Snapshot::View view() const {
    if (directory_ == snapshot_->directories()) --directory_;
    while (snapshot_->rows(directory_).first > row())
      --directory_;
    return snapshot_->view(row(), directory_);
  }
  void next() { --left_; }

 private:
  const Snapshot* snapshot_;
  RowIndex left_;
  mutable DirectoryIndex directory_;
};

}  // namespace ssync::planner
