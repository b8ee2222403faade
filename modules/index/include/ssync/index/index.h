// What is known of a tree between runs, so that an unchanged file is never read again.
//
// One file per role and root in a state directory: a base, sorted like the scan (so both merge in one pass),
// with a directory table, checksummed blocks and an inode table; and a log beside it to which later knowledge
// is appended. The format is in this module's README. The base is replaced by rename; a log record is either
// whole or not there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/model/root_identity.h"

namespace ssync::index {

enum class Role : std::uint8_t { source = 1, mirror = 2 };

/// What is known of one entry.
struct Record {
  Seen held;                     ///< its own stat, after the last write (mirror) or as last listed (source)
  std::optional<Values> wanted;  ///< mirror: the source's values it was written for
  std::optional<Checksum> checksum;  ///< of the content that `held` describes
  std::optional<Digest> digest;      ///< the same
  /// The stat proves nothing about the content: it was too young when taken, or a doubt was never settled.
  /// Cleared only with a checksum that was computed from the content, or by an equal comparison.
  bool racy = false;
  /// Mirror: the source's file could not be read in peace the last time. It is asked for first thing,
  /// whatever the stats say; what is there now, if it is racy too, is a read during which the file changed.
  bool retry = false;
  /// Source: what it had under the stat `held` that is not mirrored (fs::Unmirrored).
  std::uint8_t unmirrored = 0;
  /// Directory: how many names were in it when it had the stat `held`. Only of one that was old enough then
  /// for any later name to show in its ctime; so as long as `held` stays, these names are all there are.
  std::optional<std::uint32_t> names;
  /// Directory: it was on another device than the one above it, or the root of a mount, when both were looked
  /// at. Two records need not be of one boot, so their device numbers say nothing about each other.
  bool boundary = false;
  friend bool operator==(const Record&, const Record&) = default;
};

/// Facts about the whole tree, in the header.
struct Header {
  Role role = Role::source;
  std::string root_path;  ///< absolute, as given
  std::string source_id;  ///< mirror: whose mirror it is; empty before the first sync
  RootIdentity root;      ///< links and levels are 0 in an index from before they were kept
  Attributes attributes;  ///< mirror: as probed; meaningless while attributes_known is false
  bool attributes_known = false;
  std::uint64_t attributes_volume = 0, attributes_type = 0;
  std::uint32_t attributes_uid = 0;  ///< what they were probed on and as; probed again when it changes
  std::uint64_t synced_count = 0;    ///< syncs that ended well
  friend bool operator==(const Header&, const Header&) = default;
};

/// Where a file was, by inode.
struct InodeHit {
  std::string location, name;
  Record record;
};

/// One open index. Thread safety: one thread at a time for each Cursor and for everything that is not const;
/// directory(), find*() and different Cursors may run in parallel with each other, with append*() and with
/// one Writer, but not with commit().
class Index {
 public:
  ~Index();
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;

  /// Opens base and log. `exists()` is false afterwards when there is no base: first contact. A header that
  /// cannot be read makes exists() true and everything unknown (all entries are in doubt), with `damage()`
  /// saying what; only an I/O error on the state directory itself is an Error.
  [[nodiscard]] static Result<Index> open(const std::string& state_dir, Role role,
                                          std::string_view root_path);

  /// As open(), for callers that go on without an index when there is none to be had (a full disk, say): it
  /// then knows nothing and keeps nothing, and rewrite() is an Error. Functions of this index fail only for
  /// arguments that make no sense; when writing fails, trouble() says so, and what could not be kept is not
  /// known to the next run, which has to read it again.
  [[nodiscard]] static Index open_or_none(const std::string& state_dir, Role role,
                                          std::string_view root_path);
  /// The first thing that kept an index from open_or_none() from being opened or written; empty when all is
  /// well. Any thread.
  [[nodiscard]] std::string trouble() const;
  /// For callers that found such trouble themselves: a new base could not be written. Any thread.
  void note_trouble(const Error& error);

  [[nodiscard]] bool exists() const noexcept;
  [[nodiscard]] const Header& header() const noexcept;
  /// Blocks that could not be read so far (checksum, truncation): sentences for the log; empty when all is
  /// well.
  [[nodiscard]] std::vector<std::string> damage() const;
  [[nodiscard]] std::uint64_t entries() const noexcept;  ///< in the base

  /// Merge access: the records of one directory in name order, log applied. Cheap when asked for in row
  /// order.
  class Cursor {
   public:
    Cursor(Cursor&&) noexcept;
    Cursor& operator=(Cursor&&) noexcept;
    ~Cursor();
    enum class Found : std::uint8_t { yes, no, unreadable };
    /// The record of `name`. Requires: names are asked for in ascending order. no: no record; unreadable: the
    /// block is damaged.
    [[nodiscard]] Found find(std::string_view name, Record& record);
    /// Whether the record that was found last is the base's own, and the log has nothing newer.
    [[nodiscard]] bool is_of_base() const noexcept;
    /// How many records the base has of this directory. nullopt: the directory is not in it, or unreadable.
    [[nodiscard]] std::optional<std::uint64_t> rows_in_base() const noexcept;
    /// Whether all records of this directory in the base can be read. Call it before find() and next_name().
    [[nodiscard]] bool is_whole() const;
    /// The next name of the base after the last one that was passed to find() or returned from here; find()
    /// may then be called with it. The view is valid until the next call. nullopt: there is no further name
    /// or, unless is_whole(), none that can be read.
    [[nodiscard]] std::optional<std::string_view> next_name();

   private:
    friend class Index;
    struct Impl;
    explicit Cursor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  [[nodiscard]] Cursor directory(std::string_view location) const;
  /// How many records the base has of a directory, by the table in memory. nullopt: it is not in it, or
  /// several have its hash.
  [[nodiscard]] std::optional<std::uint64_t> rows_in_base(std::string_view location) const;

  /// Any order; slower. nullopt also when unreadable. Sees what append() added.
  [[nodiscard]] std::optional<Record> find(PathView path) const;
  /// The first file whose record in the base has this device and inode, with the log's record of that path if
  /// it has a newer one. Cost: a few preads.
  [[nodiscard]] std::optional<InodeHit> find_inode(std::uint64_t device, std::uint64_t inode) const;

  /// Writes the next base while a scan runs. Directories and entries in row order; the old base stays
  /// readable. Nothing is written to disk as long as all that is added equals the old base (an idle sync must
  /// not write).
  class Writer {
   public:
    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) noexcept;
    ~Writer();  ///< without commit(): the temporary file is removed
    /// Errc::invalid_argument for what is out of order, or for a record with values that no stat has. The
    /// root's own record has the empty name in the empty location.
    [[nodiscard]] Result<void> begin_directory(std::string_view location);
    [[nodiscard]] Result<void> add(std::string_view name, const Record& record);
    /// begin_directory() and all that the old base has of it, as it is there: far cheaper than add() of the
    /// same. Errc::corrupt when that cannot be read.
    [[nodiscard]] Result<void> keep_directory(std::string_view location);

   private:
    friend class Index;
    struct Impl;
    explicit Writer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  [[nodiscard]] Result<Writer> rewrite();
  /// Puts the new base in place of the old (fsync, rename) with this header (role and root_path are this
  /// Index's), drops what the log had when rewrite() was called, and makes this Index see the new one; what
  /// was appended since then stays in the log. When the entries equal the old base, that stays, and a header
  /// that differs goes to the log; no file is touched when that is as it was and the log holds no entries. On
  /// an error the old base stays, unless only the flush of the directory failed. Ends all Cursors' validity.
  [[nodiscard]] Result<void> commit(Writer writer, const Header& given);

  /// Appends to the log: what was published, compared or removed since the base was written. Seen at once;
  /// buffered until flush_log() or 1 MiB. Errors: Errc::invalid_argument; those of writing once 16 MiB could
  /// not be written.
  [[nodiscard]] Result<void> append(PathView path, const Record& record);
  [[nodiscard]] Result<void> append_removed(PathView path);
  /// A new header without a new base (an end of a sync: source id, attributes, synced_count).
  [[nodiscard]] Result<void> append_header(const Header& given);
  enum class Durable : bool { no, yes };
  [[nodiscard]] Result<void> flush_log(Durable durable);

  /// When the tree was listed last, by the tree's clock: the mtime of the base. It is set after each scan,
  /// also of an idle sync, which writes nothing else. nullopt: there is no base, or it cannot be asked.
  [[nodiscard]] std::optional<FileTime> listed_at() const;
  void set_listed_at(FileTime time);

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// $XDG_STATE_HOME/server-sync, else ~/.local/state/server-sync; Errc::not_found without either variable.
[[nodiscard]] Result<std::string> default_state_dir();

/// Whether a file of that name is one of ours in a state directory, finished or not. Such files are no part
/// of any tree.
[[nodiscard]] bool is_state_file_name(std::string_view name) noexcept;
/// Whether the directory can be listed and there is nothing else in it; also when it is empty.
[[nodiscard]] bool holds_only_state(const std::string& directory) noexcept;

}  // namespace ssync::index
