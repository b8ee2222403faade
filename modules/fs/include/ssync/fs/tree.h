// A directory tree confined below one root: the only way anything touches a source or a mirror.
//
// Directory and File are handles; paths are one location (validated, opened without following links and
// without leaving the root: openat2 RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS) and then single names inside an open
// Directory. An interface, so that tests can run on FakeTree (tests/support); Root::open() gives the real
// one.
//
// Errors everywhere: Errc by errno (base/result.h) with the operation and the escaped path in the text
// ("creating a\#012b"). Names and locations that check_name()/check_location() refuse are
// Errc::invalid_argument, never undefined behaviour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/model/root_identity.h"

namespace ssync::fs {

/// A stat as the kernel gave it, for kinds that we mirror and those we do not.
struct Stat {
  enum class Type : std::uint8_t { file, directory, symlink, other };  ///< other: socket, fifo, device
  Type type = Type::other;
  /// The kind of an `other` is special, and its size says which one (see Values). Directories and links have
  /// size 0. Nanoseconds of the ctime are below 10^9, whatever the file system says; all other fields are as
  /// it gave them, in range or not.
  Seen seen;
  std::uint64_t blocks_512 = 0;   ///< allocated, to tell sparse files
  std::optional<FileTime> birth;  ///< only Directory::stat_self() asks for it
  bool mount_point = false;       ///< a directory that is the root of a mount (STATX_ATTR_MOUNT_ROOT)
  /// Fewer blocks than its size needs, so that there may be holes.
  [[nodiscard]] bool is_sparse() const noexcept { return blocks_512 * 512 < seen.values.size; }
};

/// An open regular file. Thread safety: one thread at a time. Closed by the destructor (errors of close are
/// not seen: Tree::sync() reports what could not be written back).
class File {
 public:
  virtual ~File() = default;
  /// Bytes read, less than asked only at the end of the file; 0 at the end. Retries EINTR.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) = 0;
  /// All or an error (Errc::no_space for ENOSPC and EDQUOT). On an error an unknown part was written.
  [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset, std::span<const std::byte> from) = 0;
  /// Sets the size; a longer size makes a hole.
  [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;
  /// The next range of data at or after `offset`, within `size`: {begin, end}. nullopt: only a hole is left.
  /// A file system without SEEK_DATA answers {offset, size}.
  struct Range {
    std::uint64_t begin = 0, end = 0;
  };
  [[nodiscard]] virtual Result<std::optional<Range>> next_data(std::uint64_t offset, std::uint64_t size) = 0;
  /// The first call on a file from open_file() may return the stat that opening it took; every later call
  /// asks the kernel.
  [[nodiscard]] virtual Result<Stat> stat() = 0;
  /// The low 12 bits. Writing and set_owner() take setuid and setgid away again, so the mode comes after
  /// both.
  [[nodiscard]] virtual Result<void> set_mode(std::uint16_t mode) = 0;
  [[nodiscard]] virtual Result<void> set_owner(Owner owner) = 0;
  /// Sets mtime; atime is left as it is where it can be (Volume::sets_mtime_alone). Comes last, as writing
  /// moves it. Requires: ns below 10^9.
  [[nodiscard]] virtual Result<void> set_mtime(FileTime mtime) = 0;
  /// fsync(2): content and attributes are on stable storage afterwards.
  [[nodiscard]] virtual Result<void> flush() = 0;
  /// Makes this empty file a copy of `from`'s content: reflink, else copy_file_range/read+write with holes
  /// kept. `progress` (may be empty) is called with bytes done so far, holes counted, at least every 64 MiB
  /// and at the end; false from it stops with Errc::interrupted. Errc::changed when `from` became shorter
  /// meanwhile. Requires: `from` is of the same kind of tree.
  [[nodiscard]] virtual Result<void> copy_content(File& from,
                                                  const std::function<bool(std::uint64_t)>& progress) = 0;
};

/// The names in one directory. Reusable: clear() keeps the memory. Views live until clear() or destruction.
class NameList {
 public:
  void clear() noexcept {
    bytes_.clear();
    ends_.clear();
  }
  /// Room for so many more names, of so many bytes together.
  void reserve(std::size_t names, std::size_t bytes) {
    bytes_.reserve(bytes_.size() + bytes);
    ends_.reserve(ends_.size() + names);
  }
  void add(std::string_view name) {
    bytes_.append(name);
    ends_.push_back(bytes_.size());
  }
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

enum class Replace : std::uint8_t {
  yes,       ///< rename(2): a file or link at the target is replaced atomically
  no,        ///< RENAME_NOREPLACE: Errc::already_exists when the target exists
  exchange,  ///< RENAME_EXCHANGE: both must exist. Errc::unsupported where the file system cannot, as well as
             ///< for a directory and something inside it
};

/// What a file system is, and may be believed in. Source of the type numbers: linux/magic.h.
struct Volume {
  std::uint64_t type = 0;         ///< statfs f_type
  std::uint64_t id = 0;           ///< f_fsid where it is made from the file system's own UUID, else 0
  std::string type_name;          ///< "ext4", "tmpfs", "nfs", "0x…"
  bool stable_inodes = true;      ///< false on NFS, CIFS, FUSE, exFAT, vfat: inode numbers say nothing
  bool stable_ctime = true;       ///< false on the same and overlay
  bool names_move_ctime = false;  ///< a name that comes or goes moves its directory's ctime: only those local
                                  ///< disk file systems and tmpfs that are known to
  std::uint64_t bytes_available = 0;  ///< to this process
  bool read_only = false;
  bool shared = false;  ///< other machines, or another mount here, may write it, and a directory's flock
                        ///< does not keep them out: network file systems and FUSE
  bool sets_mtime_alone = true;  ///< false (libfuse 2): mtime cannot be set without atime, which becomes now
  bool syncfs_flushes = true;    ///< false: syncfs(2) returns at once and proves nothing (FUSE, CIFS, 9p)
};

/// What an entry has that no Stat shows and no mirror gets. Bits; values are in the index.
enum Unmirrored : std::uint8_t {
  kHasAttributes = 1,  ///< extended attributes, the next two counted
  kHasAcl = 2,         ///< access or default ACL
  kHasCapability = 4,  ///< security.capability
};

/// One open directory. Thread safety: one thread at a time (handles of the same directory are independent).
class Directory {
 public:
  virtual ~Directory() = default;
  /// Appends all names but "." and "..", in no order. Rewinds first, so it may be called again.
  [[nodiscard]] virtual Result<void> list(NameList& into) = 0;
  /// The stat of the entry itself; links are not followed.
  [[nodiscard]] virtual Result<Stat> stat(std::string_view name) = 0;
  [[nodiscard]] virtual Result<Stat> stat_self() = 0;
  /// The file system that this very directory is on: below a mount point not the root's.
  [[nodiscard]] virtual Result<Volume> volume() = 0;
  /// Errc::changed when it is no link any more.
  [[nodiscard]] virtual Result<std::string> read_link(std::string_view name) = 0;
  /// Unmirrored bits of the entry or, with an empty name, of the directory itself. Labels that the system
  /// puts on everything (SELinux, Smack, NFSv4's own ACLs, overlay's) do not count. 0 where there can be
  /// none.
  [[nodiscard]] virtual Result<std::uint8_t> unmirrored(std::string_view name) = 0;
  /// O_NONBLOCK|O_NOFOLLOW|O_NOCTTY; Errc::changed when it is no regular file any more.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open_file(std::string_view name) = 0;
  /// O_CREAT|O_EXCL, for writing and reading, exactly this mode (umask and default ACLs do not apply).
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create_file(std::string_view name,
                                                                  std::uint16_t mode) = 0;
  /// Made with u+rwx added to `mode`; the final mode comes with set_mode().
  [[nodiscard]] virtual Result<void> make_directory(std::string_view name, std::uint16_t mode) = 0;
  /// Requires: a target of 1 … 4095 bytes without NUL, else Errc::invalid_argument.
  [[nodiscard]] virtual Result<void> make_link(std::string_view name, std::string_view target) = 0;
  /// Anything but a directory (Errc::is_directory).
  [[nodiscard]] virtual Result<void> remove(std::string_view name) = 0;
  /// Errc::not_empty when it is not.
  [[nodiscard]] virtual Result<void> remove_directory(std::string_view name) = 0;
  /// Requires: `to` belongs to the same tree. Errc::cross_device on EXDEV.
  [[nodiscard]] virtual Result<void> rename(std::string_view name, Directory& to, std::string_view new_name,
                                            Replace replace) = 0;
  /// A child directory, links not followed. Errc::not_directory (also for a link).
  [[nodiscard]] virtual Result<std::unique_ptr<Directory>> open_child(std::string_view name) = 0;

  /// Metadata in place, of an entry (links not followed; set_mode of a link is a no-op) or, with an empty
  /// name, of the directory itself.
  [[nodiscard]] virtual Result<void> set_mode(std::string_view name, std::uint16_t mode) = 0;
  [[nodiscard]] virtual Result<void> set_owner(std::string_view name, Owner owner) = 0;
  [[nodiscard]] virtual Result<void> set_mtime(std::string_view name, FileTime mtime) = 0;
  /// Takes away the access and default ACLs that this directory inherited. Fine when there are none, or the
  /// file system has none.
  [[nodiscard]] virtual Result<void> strip_acl() = 0;
  /// fsync(2) of this directory: the names in it are on stable storage afterwards, and its own attributes.
  [[nodiscard]] virtual Result<void> flush() = 0;
};

/// Thread safety: any thread. Directories and Files must not outlive the Tree.
class Tree {
 public:
  virtual ~Tree() = default;
  /// The directory at `location`, "" for the root; any depth up to kDepthMax.
  [[nodiscard]] virtual Result<std::unique_ptr<Directory>> open(std::string_view location) = 0;
  [[nodiscard]] virtual Result<Volume> volume() = 0;
  /// What was changed through this Tree before the call is on stable storage after it: one syncfs(2) of each
  /// file system that it was changed on; or where that proves nothing (Volume::syncfs_flushes), an fsync(2)
  /// of each file when it was written, and here of each entry and directory that was changed since. Requires:
  /// will_sync(true) before the first change.
  [[nodiscard]] virtual Result<void> sync() = 0;
  /// Whether sync() will be called from now on; until this is called, it will not. What is mounted inside the
  /// tree and was written to cannot be unmounted until the next call.
  virtual void will_sync(bool will) = 0;
  /// Asks the file system itself, not what is cached of it, for the root.
  [[nodiscard]] virtual Result<void> look_at_root() = 0;
  /// The file system clock that ctime is taken from (CLOCK_REALTIME_COARSE for the real one).
  [[nodiscard]] virtual FileTime clock() const = 0;
  /// How many handles (or threads that hold some) a part of a sync should have that would have `wanted` at
  /// best: fewer, or none, where this process may open few files.
  [[nodiscard]] virtual std::size_t worth_keeping(std::size_t wanted) const { return wanted; }
};

/// The one place that tells an entry which cannot be read from a file system that is gone (a dead FUSE
/// daemon, an NFS export that was taken away, a disk that was pulled): when `error` has an errno that the
/// latter gives (ENOTCONN, ESTALE, EIO, ...), the root is looked at; if that fails so too, the answer is
/// Errc::lost, with what to do about it. Else `error` as it is, which costs one entry.
[[nodiscard]] Error lost_or(Tree& tree, Error error);
/// lost_or() for one path's Problem: the Errc::lost Error when not only that path cannot be read; else
/// nullopt.
[[nodiscard]] std::optional<Error> lost_behind(Tree& tree, const Problem& problem);

/// Two different changes of one file get different ctimes when they are at least this far apart: 20 ms, or 2
/// s where stamps are whole seconds (`stamp.ns` == 0, as on vfat or ext3). A stat whose ctime is younger than
/// that is racy.
[[nodiscard]] std::uint64_t tick_ns(const FileTime& stamp) noexcept;
/// True when `stamp` is so close to (or after) `now` that a later change might not move it.
[[nodiscard]] bool is_racy(const FileTime& stamp, const FileTime& now) noexcept;

/// (device, inode) of a directory, to tell the same and nested roots.
struct DirectoryId {
  std::uint64_t device = 0, inode = 0;
  friend bool operator==(const DirectoryId&, const DirectoryId&) = default;
};

/// A root directory as the user named it. Owns the descriptor, and the lock when one was asked for. The
/// process's umask is read when it is opened; if it is changed later, created files may lack mode bits.
///
/// The lock is a flock of the directory. On a file system that other machines reach (Volume::shared) that
/// would be local to the mount: there a regular file is locked, in the reserved directory
/// `.server-sync.state`, with an epoch and a beat in it; and once somebody else holds it, every change
/// through this Root is Errc::lost. Thread safety: any thread. Threads: one on such a file system.
class Root {
 public:
  enum class Lock : bool { no, yes };
  /// Opens `path` (a trailing slash is fine, links on the way are followed if check_links() accepts them).
  /// Errors for people: not_found, not_directory, permission, refused, lost (a mount whose file system is
  /// gone); changed when somebody exchanged it meanwhile; busy when Lock::yes and somebody else (also another
  /// Root of this process) holds it. Takes some seconds where only a beat that stands still can tell that the
  /// last holder is dead.
  [[nodiscard]] static Result<Root> open(const std::string& path, Lock lock);
  Root(Root&&) noexcept;
  Root& operator=(Root&&) noexcept;
  ~Root();
  [[nodiscard]] Tree& tree() noexcept;
  [[nodiscard]] const std::string& absolute_path()
      const noexcept;  ///< as given, made absolute, the last link unresolved, no trailing slash
  [[nodiscard]] bool named_by_link() const noexcept;  ///< DIR itself is a symlink
  /// Nobody else can write it as long as this lives. False also when the file system cannot lock.
  [[nodiscard]] bool locked() const noexcept;
  /// The epoch of the lock on a file system that others reach (Volume::shared), new with every holder;
  /// elsewhere empty.
  [[nodiscard]] const std::string& epoch() const noexcept;
  /// On such a file system: Errc::lost when it is gone, does not answer, or somebody else has the lock by
  /// now. It is looked at once a second by a thread of its own; this never blocks.
  [[nodiscard]] std::optional<Error> trouble() const;
  /// Gives up the lock on such a file system, so that the same path can be opened anew; from then on every
  /// change is Errc::lost.
  void give_up() noexcept;
  [[nodiscard]] Result<RootIdentity> identity();
  /// The root and every directory above it, up to and with "/".
  [[nodiscard]] Result<std::vector<DirectoryId>> ancestry();
  /// The path below this root of `file`, a path on this machine whose directory exists; empty when it is
  /// elsewhere.
  [[nodiscard]] std::vector<std::string> paths_of(const std::string& file) const;
  /// False when the path now leads to another directory than the one that is open (or to none).
  [[nodiscard]] bool still_at_path() const;

 private:
  struct Impl;
  explicit Root(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::fs
