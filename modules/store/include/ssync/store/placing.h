#pragma once

// From a temporary name to the final one: how a file comes into the mirror without ever being half there.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ssync/base/mutex.h"
#include "ssync/fs/directory_cache.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/store/attributes.h"

namespace ssync::store {

/// Directories that the staging directory cannot rename into, as they are on another device. Thread safety:
/// any thread.
class OtherDevices {
 public:
  void add(std::string_view location);
  [[nodiscard]] bool contains(std::string_view location) const;

 private:
  std::atomic<bool> any_{false};  // almost always false, and asked for every file
  mutable Mutex mutex_;
  std::unordered_set<std::string> locations_ SSYNC_GUARDED_BY(mutex_);
};

/// A file or link under a name that nobody looks at: in the staging directory or, `beside`, in the directory
/// it is for.
struct Staged {
  std::string slot;
  bool beside = false;
};

/// A staged file while it is written.
struct NewFile {
  std::unique_ptr<fs::File> file;
  Staged at;
  std::optional<Owner> owner_to_set;
  bool mode_is_set = false;
  bool owner_is_wish =
      false;  ///< owner_to_set is its directory's group; it is no failure if this process may not give that
};

/// Thread safety: one thread at a time.
class Placing {
 public:
  Placing(fs::Tree& tree, fs::Staging& staging, const MirrorRules& rules, OtherDevices& other_devices)
      : tree_(tree), directories_(tree), staging_(staging), rules_(rules), other_devices_(other_devices) {}

  /// How many of `wanted` more directories may be kept open.
  [[nodiscard]] std::size_t worth_keeping(std::size_t wanted) const { return tree_.worth_keeping(wanted); }

  /// An empty file for `location`, with the mode and owner of `wanted` as far as they can be set already.
  [[nodiscard]] Result<NewFile> create(std::string_view location, const Values& wanted);
  /// Gives it its attributes and closes it. Requires: its content is complete.
  [[nodiscard]] Result<void> finish(NewFile& file, const Values& wanted);
  /// The same, and how it is then.
  [[nodiscard]] Result<Seen> finish_and_look(NewFile& file, const Values& wanted);
  [[nodiscard]] Result<Staged> create_link(std::string_view target);

  /// An open directory in the staging directory, under a new slot.
  struct NewDirectory {
    std::string slot;
    std::unique_ptr<fs::Directory> directory;
  };
  [[nodiscard]] Result<NewDirectory> create_directory();
  /// As create(), in a directory from create_directory().
  [[nodiscard]] Result<NewFile> create_in_staged(fs::Directory& directory, std::string_view name,
                                                 std::string_view location, const Values& wanted) {
    return create_in(directory, {std::string(name), false}, wanted, group_in(location));
  }
  /// Moves a staged file into such a directory.
  [[nodiscard]] Result<void> move_into_staged(const Staged& staged, fs::Directory& directory,
                                              std::string_view name);
  /// Renames it over the empty directory `location`, whose mode and owner it gets: Errc::not_empty or
  /// already_exists when that is not empty, not_found when it is gone.
  [[nodiscard]] Result<void> place_directory(const std::string& slot, std::string_view location);
  [[nodiscard]] Result<std::unique_ptr<fs::Directory>> open_staged(const std::string& slot);
  /// Removes the staged directory if it is empty.
  void drop_directory(const std::string& slot) noexcept;

  /// Makes a file under its final name at once: for files that are complete when they are empty.
  [[nodiscard]] Result<NewFile> create_at(fs::Directory& directory, std::string_view location,
                                          std::string_view name, const Values& wanted);
  /// How an entry came into a directory.
  enum class Came : std::uint8_t { made, moved };
  /// Where owners are not mirrored, an entry that came into a directory gets that directory's group, as far
  /// as this process may give it.
  void give_group(fs::Directory& directory, std::string_view location, std::string_view name,
                  Came came = Came::made);

  /// Renames a staged file to `path`. Only what `at_path` describes is replaced: when something else is there
  /// it is Errc::already_exists or changed, and the staged file stays where it is.
  [[nodiscard]] Result<void> publish(const Staged& staged, PathView path, const std::optional<Seen>& at_path);
  /// Renames from one directory of the tree to another, under the same rule. Errc::cross_device: only a copy
  /// will do.
  [[nodiscard]] Result<void> move(fs::Directory& from, std::string_view from_name, fs::Directory& to,
                                  std::string_view name, const std::optional<Seen>& at_path);
  /// Gives an entry a name in other letters where the file system folds case, under the same rule. As
  /// rename(2) does nothing then, the entry goes through staging.
  [[nodiscard]] Result<void> respell(fs::Directory& directory, std::string_view name,
                                     std::string_view new_name);
  /// Moves the entry into the staging directory, under a new slot.
  [[nodiscard]] Result<Staged> take(fs::Directory& directory, std::string_view name);
  /// Removes a staged file, if it is still there.
  void drop(const Staged& staged, std::string_view location) noexcept;

  /// The open staging directory.
  [[nodiscard]] Result<fs::Directory*> staging();
  [[nodiscard]] fs::DirectoryCache& directories() noexcept { return directories_; }
  [[nodiscard]] const MirrorRules& rules() const noexcept { return rules_; }
  void close_directories();

 private:
  [[nodiscard]] Result<NewFile> create_in(fs::Directory& directory, Staged at, const Values& wanted,
                                          std::optional<std::uint32_t> group);
  [[nodiscard]] std::optional<std::uint32_t> group_in(std::string_view location);
  [[nodiscard]] Result<void> set_attributes(NewFile& file, const Values& wanted);
  [[nodiscard]] static Result<void> take_after(fs::Directory& staging, const std::string& slot,
                                               fs::Directory& parent, std::string_view name);
  [[nodiscard]] Result<NewFile> create_beside(std::string_view location, const Values& wanted);
  [[nodiscard]] Result<bool> is_one_entry(fs::Directory& from, std::string_view name, fs::Directory& to,
                                          std::string_view new_name) const;
  [[nodiscard]] Result<Staged> copy_beside(const Staged& staged, std::string_view location);
  /// `use(staging directory)`; once more with a new one when the one we knew is gone.
  template <typename Use>
  [[nodiscard]] auto in_staging(Use use) -> decltype(use(std::declval<fs::Directory&>()));

  fs::Tree& tree_;
  fs::DirectoryCache directories_;
  fs::Staging& staging_;
  const MirrorRules rules_;
  OtherDevices& other_devices_;
  std::unique_ptr<fs::Directory> staging_directory_;
  std::optional<Owner> owner_of_new_files_;  ///< new files in the staging directory have it: that directory
                                             ///< hands down neither group nor ACL
  std::string group_location_;               ///< looked at last
  std::optional<std::optional<std::uint32_t>> group_;
};

}  // namespace ssync::store
