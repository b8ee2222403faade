#pragma once

// A directory that the file system cannot rename (EXDEV): overlayfs for what is in a lower layer, two bind
// mounts of one disk, pools of disks.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "ssync/model/change.h"
#include "ssync/store/placing.h"

namespace ssync::store {

/// Entries that were made anew when their directory was moved in parts. The plan still knows them as the scan
/// saw them, by another device and inode. Thread safety: one thread at a time.
class Remade {
 public:
  void add(std::string_view name, const Seen& before, const Seen& now);
  /// Changes `seen` to what was made in its place, if it was made anew.
  void follow(std::string_view name, std::optional<Seen>& seen) const;

 private:
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::string>;  // device, inode, name
  struct Identity {
    std::uint64_t device = 0, inode = 0;
  };
  std::map<Key, Identity> entries_;
};

/// Makes a directory anew and moves what is in it one by one; what cannot be renamed either is copied, and
/// removed when its copy has its name. Thread safety: one thread, one run at a time.
class DirectoryMove {
 public:
  /// Copies the file of `change`, a Change::Rename, and removes `from`. It may wait until name_copies().
  using CopyFile = std::function<Result<void>(Change change)>;
  using NameCopies = std::function<Result<void>()>;
  DirectoryMove(Placing& placing, Remade& remade, CopyFile copy_file, NameCopies name_copies)
      : placing_(placing),
        remade_(remade),
        copy_file_(std::move(copy_file)),
        name_copies_(std::move(name_copies)) {}

  /// Goes on after a failure and returns the first one; what could not be moved stays where it was. Requires:
  /// `from` is a directory; `to` is free, else Errc::already_exists.
  [[nodiscard]] Result<void> run(const std::string& from, const std::string& to);
  /// Renames one directory, also when its mode keeps it from being renamed.
  [[nodiscard]] static Result<void> rename(Placing& placing, PathView from, PathView to,
                                           const fs::Stat& directory);

 private:
  struct Pair {
    std::string from, to;
  };
  [[nodiscard]] Result<void> make(const Pair& directory);
  [[nodiscard]] Result<void> move_contents(const Pair& directory);
  [[nodiscard]] Result<void> move_entry(const Pair& directory, std::string_view name);
  [[nodiscard]] Result<void> move_link(PathView from, PathView to, const fs::Stat& link);
  [[nodiscard]] Result<void> remember(std::string_view name, const fs::Stat& before, PathView to);
  [[nodiscard]] Result<fs::Directory*> open(std::string_view location);
  void note(Result<void> result);

  Placing& placing_;
  Remade& remade_;
  CopyFile copy_file_;
  NameCopies name_copies_;
  std::vector<Pair> pending_;
  std::vector<std::string> left_;  // old directories, parents first
  Result<void> first_failure_;
};

}  // namespace ssync::store
