// A tree in memory behind the interface of the real one: inodes with hard links, ctimes and holes, on a clock
// that moves when told to, with a record of what was done and failures on demand. tests/fs runs the same
// suite against it and the real one.
//
// It behaves like root on a local disk file system: permission bits deny nothing. Handles keep working on
// entries that were renamed or removed, as descriptors do.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/fs/tree.h"
#include "ssync/support/tree_nodes.h"

namespace ssync::support {

enum class FakeOp : std::uint8_t {
  // reading
  open,
  list,
  stat,
  read_link,
  unmirrored,
  open_file,
  read,
  // changing
  create_file,
  write,
  truncate,
  copy,
  make_directory,
  make_link,
  remove,
  remove_directory,
  rename,
  set_mode,
  set_owner,
  set_mtime,
  strip_acl,
  sync,
  flush,
};
[[nodiscard]] constexpr bool is_change(FakeOp op) noexcept {
  return op >= FakeOp::create_file;
}

struct FakeOperation {
  FakeOp op = FakeOp::open;
  std::string path;  ///< from the root, "" for the root itself
  std::string to;    ///< of a rename (with Replace::exchange the other one)
  bool failed = false;
  friend bool operator==(const FakeOperation&, const FakeOperation&) = default;
};
/// "rename a/b -> c", "set_mode .", "write a failed". Staging directories appear as ".server-sync.*".
[[nodiscard]] std::string to_string(const FakeOperation& operation);

/// What this file system cannot do. Changed at any time, except case_sensitive (before the first entry).
struct FakeLimits {
  std::uint32_t mtime_granularity_ns = 1;  ///< set_mtime rounds down to it; ctimes too
  std::uint16_t mode_mask = 07777;         ///< other bits vanish silently
  bool owner = true;                       ///< false: set_owner is EPERM unless nothing changes
  bool symlinks = true;                    ///< false: make_link is EPERM (Errc::unsupported)
  bool symlink_mtime = true;               ///< false: ignored silently
  bool case_sensitive =
      true;  ///< false: ASCII letters compare equal; names keep the case they were made with
  bool read_only = false;
  std::int64_t mtime_least_s = std::numeric_limits<std::int64_t>::min();
  std::int64_t mtime_greatest_s = std::numeric_limits<std::int64_t>::max();
  bool clamps_mtimes = true;  ///< beyond the range: true the nearest, as Linux does; false ERANGE
  bool exchange = true;       ///< false: RENAME_EXCHANGE is Errc::unsupported
  std::uint64_t capacity_bytes = std::uint64_t{1} << 40U;  ///< of content, in blocks of 4096; beyond: ENOSPC
};

/// What a damaged or foreign file system answers: each function gets the true answer and may change it. They
/// must not use the tree. Empty ones are not called. What is changed is an answer, not the tree.
struct FakeAnswers {
  std::function<void(const std::string& directory, std::vector<std::string>& names)> list;
  /// nullopt: there is no such entry.
  std::function<void(const std::string& path, std::optional<fs::Stat>& stat)> stat;
  std::function<void(const std::string& path, std::string& target)> read_link;
};

/// Thread safety: any thread (one lock for all). Handles must not outlive it.
class FakeTree final : public fs::Tree {
 public:
  explicit FakeTree(const std::vector<Node>& nodes = {}, FakeLimits limits = {});
  ~FakeTree() override;
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;

  [[nodiscard]] Result<std::unique_ptr<fs::Directory>> open(std::string_view location) override;
  [[nodiscard]] Result<fs::Volume> volume() override;
  [[nodiscard]] Result<void> sync() override;
  void will_sync(bool will) override { static_cast<void>(will); }
  [[nodiscard]] Result<void> look_at_root() override;
  [[nodiscard]] FileTime clock() const override;

  /// Starts at 1'700'000'000.123456789 s and moves only here.
  void tick(std::chrono::nanoseconds by = std::chrono::seconds(1));
  void set_limits(const FakeLimits& limits);
  /// What volume() says from now on. The default: type_name "fake", all stable, 1 TiB available.
  void set_volume(const fs::Volume& volume);
  void set_answers(FakeAnswers answers);

  // What another program does to the tree: not recorded, never made to fail. Paths as in join(). Requires
  // (asserted): what they need is there.

  void add(const Node& node, std::string_view location = {});  ///< whatever has that name is removed first
  void write(std::string_view path,
             std::string_view content);  ///< same inode; mtime and ctime are the clock's
  void append(std::string_view path, std::string_view content);
  void erase(std::string_view path);                      ///< with everything below
  void move(std::string_view from, std::string_view to);  ///< as rename(2)
  void chmod(std::string_view path, std::uint16_t mode);
  void touch(std::string_view path, FileTime mtime);
  /// fs::Unmirrored bits; moves ctime.
  void set_unmirrored(std::string_view path, std::uint8_t bits);
  /// Gives the directory and all below another device number, and makes it a mount point with this volume.
  void mount(std::string_view path, const fs::Volume& volume);
  /// The mount goes, with all that is on it; an empty directory is left.
  void unmount(std::string_view path);
  /// Every file system has another device number from now on.
  void reboot();
  [[nodiscard]] bool exists(std::string_view path) const;
  [[nodiscard]] fs::Stat stat(std::string_view path) const;
  [[nodiscard]] std::string read(std::string_view path) const;
  [[nodiscard]] std::string dump(const DumpOptions& options = {});

  // Failures. errno values; EIO, ENOSPC and so on.

  /// The n-th change from now (1: the next) fails with `err`, once. What it would have done is not done.
  void fail_nth(std::uint64_t n, int err);
  /// The same, counting only operations of this kind (reading ones too).
  void fail_nth(FakeOp op, std::uint64_t n, int err);
  /// From the n-th change on everything that changes fails: the process is dead, as far as the disk is
  /// concerned.
  void fail_from(std::uint64_t n, int err);
  /// Every operation of this kind on this path fails, until clear_failures().
  void fail_at(FakeOp op, std::string_view path, int err);
  void clear_failures();
  /// Brings back what was there at the last sync() (or at construction): a power cut. Handles from before are
  /// dead.
  void lose_unsynced();
  /// A power cut when a journal had all names on the disk: those are as now, but each file has the content
  /// that it had at the last sync(), and none when it was made since.
  void lose_unsynced_content();

  // The record.

  [[nodiscard]] std::vector<FakeOperation> operations() const;
  /// The changes alone, as text.
  [[nodiscard]] std::vector<std::string> changes() const;
  [[nodiscard]] std::uint64_t change_count() const;
  void clear_operations();
  /// Called before each recorded operation with nothing locked, so it may edit the tree: a race with another
  /// program.
  void on_operation(std::function<void(const FakeOperation&)> hook);

  struct Impl;  ///< shared with its handles

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace ssync::support
