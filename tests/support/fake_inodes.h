// What a FakeTree is made of: inodes and the rules of a local file system about them. No locks, no record, no
// failures: those are fake_tree.cc's. Functions that may fail return an errno, 0 for success.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ssync/fs/tree.h"
#include "ssync/support/fake_tree.h"

namespace ssync::support {

inline constexpr std::uint64_t kPageBytes = 4096;

struct Inode;
using InodePtr = std::shared_ptr<Inode>;

/// Pages in use, shared by a tree and its inodes: those of a removed file count until its last handle goes.
using PageCount = std::shared_ptr<std::atomic<std::uint64_t>>;

struct Inode {
  struct Child {
    std::string name;
    InodePtr inode;
  };

  fs::Stat::Type type = fs::Stat::Type::other;
  std::uint16_t mode = 0;
  Owner owner;
  FileTime mtime, ctime, birth;
  std::uint8_t unmirrored = 0;
  std::uint64_t number = 0;
  std::uint64_t device = 1;
  std::uint32_t links = 1;  // of anything but a directory
  // File. A page that is not there is a hole; a short one ends in zeros.
  std::uint64_t size = 0;
  std::map<std::uint64_t, std::string> pages;
  PageCount pages_used;
  std::string target;  // symlink
  // Directory. Keys are names, folded where the file system ignores case.
  std::map<std::string, Child, std::less<>> children;
  std::weak_ptr<Inode> parent;
  std::string name;
  bool removed = false;
  std::optional<fs::Volume> mounted;

  Inode() = default;
  Inode(const Inode&) = default;
  Inode& operator=(const Inode&) = delete;
  ~Inode() {
    if (pages_used) *pages_used -= pages.size();
  }
};

class Inodes {
 public:
  explicit Inodes(const FakeLimits& in);

  [[nodiscard]] const InodePtr& root() const noexcept { return root_; }
  [[nodiscard]] FileTime now() const noexcept;

  /// nullptr when there is none.
  [[nodiscard]] InodePtr find(const Inode& directory, std::string_view name) const;
  /// The entry at a joined path; nullptr when there is none.
  [[nodiscard]] InodePtr walk(std::string_view path) const;
  /// From the root; where it was last, for a removed directory.
  [[nodiscard]] static std::string path_of(const Inode& directory);

  /// A new entry; the group and, for directories, setgid come from a setgid directory. EEXIST; ENOENT in a
  /// removed directory.
  [[nodiscard]] int create(const InodePtr& directory, std::string_view name, fs::Stat::Type type,
                           std::uint16_t mode, InodePtr& made);
  [[nodiscard]] int link(const InodePtr& directory, std::string_view name, const InodePtr& file);
  [[nodiscard]] int remove(Inode& directory, std::string_view name);
  [[nodiscard]] int remove_directory(Inode& directory, std::string_view name);
  /// With all below, whatever it is.
  void erase(Inode& directory, std::string_view name);
  [[nodiscard]] int rename(const InodePtr& from, std::string_view name, const InodePtr& to,
                           std::string_view new_name, fs::Replace replace);

  [[nodiscard]] std::size_t read(const Inode& file, std::uint64_t offset, std::span<std::byte> into) const;
  [[nodiscard]] int write(Inode& file, std::uint64_t offset, std::span<const std::byte> from);
  void truncate(Inode& file, std::uint64_t size);
  [[nodiscard]] int copy(const Inode& from, Inode& to);
  [[nodiscard]] static std::optional<fs::File::Range> next_data(const Inode& file, std::uint64_t offset,
                                                                std::uint64_t size);

  [[nodiscard]] static fs::Stat stat(const Inode& inode, bool with_birth);
  void set_mode(Inode& inode, std::uint16_t mode) const;
  [[nodiscard]] int set_owner(Inode& inode, Owner owner) const;
  /// 0 or ERANGE.
  [[nodiscard]] int set_mtime(Inode& inode, FileTime mtime) const;

  /// A deep copy that shares nothing; hard links stay so. Its pages are not counted.
  [[nodiscard]] InodePtr clone_root() const;
  void restore_root(const InodePtr& saved);
  /// Each file has the content that it has in `saved`; none when it is not there.
  void restore_content(const InodePtr& saved) const;

  FakeLimits limits;
  FileTime clock{1'700'000'000, 123'456'789};

 private:
  [[nodiscard]] std::string key(std::string_view name) const;
  [[nodiscard]] FileTime rounded(FileTime time) const noexcept;
  void touch(Inode& inode) const;  // mtime and ctime
  void attach(const InodePtr& directory, std::string_view name, const InodePtr& inode);
  [[nodiscard]] int exchange(const InodePtr& from, std::string_view name, const InodePtr& to,
                             std::string_view new_name);
  [[nodiscard]] static int may_replace(const Inode& moved, const Inode& there);

  InodePtr root_;
  std::uint64_t next_number_ = 2;
  PageCount pages_used_;
};

}  // namespace ssync::support
