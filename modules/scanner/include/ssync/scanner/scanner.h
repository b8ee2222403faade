// A tree -> a sorted stream of directories with their entries, merged with what the index knows of them.
//
// Worker threads take the next directory in order first; one emitter (the thread that calls next()) restores
// the order, so blocks come exactly as ScanBlock says while the workers run ahead by a bounded amount.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/entry.h"

namespace ssync::scanner {

struct Options {
  index::Role role = index::Role::source;
  unsigned threads = 2;                ///< 1 … 64, to begin with
  unsigned threads_waiting = 16;       ///< so many when they mostly wait, for a cold disk or a network
  std::size_t window_entries = 16384;  ///< how many entries the workers may be ahead of next(); at least one
                                       ///< directory is always allowed
  bool with_digests = false;           ///< fill ScannedEntry::digest from the index
  std::optional<DigestKind> digest_kind;  ///< which kind counts as known (has_digest)
  bool accept_missing_mounts =
      false;                  ///< source: a mount below the root that is gone is an ordinary directory
  bool believe_names = true;  ///< false: every directory is listed
  std::vector<std::string> leave_out;  ///< paths below the root that are no part of the tree: open logs
  /// The root of the other end, where that is on this machine. A scan that meets it (by way of a mount) ends
  /// with Errc::refused: what is done to the one tree would be done to the other.
  std::optional<fs::DirectoryId> other_root;
  /// Mirror that is about to be changed: what this user owns and cannot read is made readable for its owner
  /// before it is looked at. The plan then finds another mode there and sets the right one.
  std::optional<std::uint32_t> make_readable_for;
};

/// Entries that have what is not mirrored (fs::Unmirrored). Source only.
struct UnmirroredCounts {
  std::uint64_t attributes = 0;  ///< extended attributes, the next two counted
  std::uint64_t acls = 0;
  std::uint64_t capabilities = 0;
  friend bool operator==(const UnmirroredCounts&, const UnmirroredCounts&) = default;
};

/// What was staged by somebody and is still there: fs::is_staging_name().
struct Leftover {
  std::string location, name;
};

struct Counts {
  std::uint64_t hard_links = 0;  ///< files with more than one link
  UnmirroredCounts unmirrored;
  std::uint64_t reserved = 0;  ///< under names that are kept for ourselves (fs::is_reserved)
};

/// Scans once.
///
/// Order: blocks and entries as compare_rows() sorts them. The first block is the root's and carries `self`.
///
/// What is no part of the tree and is skipped: names that are kept for ourselves (fs::is_reserved; of what
/// was staged, take_leftovers() tells); Options::leave_out; files named as those of an index
/// (index::is_state_file_name), and a directory that holds such files and nothing else.
///
/// What is there but cannot be mirrored:
///  * Sockets, fifos and devices are entries of Kind::special. They have no record.
///  * An entry or directory that cannot be read, or that breaks a rule of model/entry_rules.h, is a
///    Kind::unreadable entry and a Problem (subtree), both in its parent's block. It has no block of its own.
///    A name or path that breaks a rule is a Problem with a cut name, and no entry.
///  * A mirror's entry with an impossible time has the nearest possible one instead.
///  * Role source: a directory where another file system was mounted at the last scan and none is now counts
///    as one that cannot be read.
///
/// What changes meanwhile: a name that goes between listing and stat is not there. A directory that goes
/// after its own row was given out has an empty block. When the root cannot be listed, or a directory that
/// could be listed a moment before, next() is an Error.
///
/// Mounts are crossed. Those of proc, sysfs, cgroup, devpts and the like appear as empty directories.
///
/// Names: a directory below the root is not listed while it has the stat under which the base saw its names.
/// It is listed after all where a name need not move ctime (Volume::names_move_ctime), on a mount point, when
/// that stat was too young, when one of the names is missing, and without Options::believe_names.
///
/// Doubt: there is an index, and the entry's stat is not its record's (fs::same_stat), or the record is racy,
/// is missing, or cannot be read. Only files with content are ever in doubt.
///
/// The new base is written as blocks are emitted. A record holds the stat. If the entry is in doubt, or its
/// stat is racy by the tree's clock at the start, the record is racy and has neither checksum nor digest;
/// otherwise they are carried over. An entry has the checksum and digest of its record. What was known of an
/// unreadable entry is kept. Role mirror: `wanted` is carried over while the stat equals `held`, and dropped
/// in doubt; without an index it is the entry's own values.
///
/// Moves, role source: a file without a record at its path is looked up by inode. One of equal size and mtime
/// is its Origin. If the ctime is equal too, the origin is proven: then there is no doubt, and the record
/// takes checksum and digest over.
class Scanner {
 public:
  /// tree and idx must outlive it. The file system is not touched before the first next().
  Scanner(fs::Tree& tree, index::Index& idx, Options options);
  ~Scanner();  ///< stops and joins
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;
  /// Blocks; the first call starts the threads. The next directory; nullopt at the end. After an Error
  /// nothing more comes. One thread (the emitter).
  [[nodiscard]] Result<std::optional<ScanBlock>> next();
  /// After the end, once: puts the new base in place. `header` becomes the index's. A failure to write the
  /// new base while the scan ran did not stop the scan; it is told here. Errc::invalid_argument before the
  /// end.
  [[nodiscard]] Result<void> commit_index(const index::Header& header);
  /// Makes next() return Errc::interrupted soon. Any thread.
  void stop() noexcept;
  /// What was staged in it and skipped; complete at the end. The emitter.
  [[nodiscard]] std::vector<Leftover> take_leftovers();
  [[nodiscard]] Counts counts() const;  ///< complete at the end; any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::scanner
