// A whole tree in memory, compactly: 36 bytes and the name an entry, in chunks that never move (no doubling
// peaks).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/model/path.h"

namespace ssync {

/// Position in a Snapshot, in row order.
using EntryIndex = std::uint32_t;
using DirectoryIndex = std::uint32_t;
inline constexpr EntryIndex kNoEntry = ~EntryIndex{0};

/// Facts about an entry that are not Values; free for the owner of the snapshot to set. Ten bits are kept.
using EntryFlags = std::uint16_t;
enum EntryFlag : EntryFlags {
  kFlagDoubt = 1,
  kFlagChecksum = 2,  ///< the index has a proven checksum
  kFlagDigest = 4,    ///< the index has a proven digest
  kFlagLinks = 8,     ///< st_nlink > 1 on a file
  kFlagA = 16,
  kFlagB = 32,
  kFlagC = 64,
  kFlagD = 128,
  kFlagE = 256,
  kFlagF = 512,  ///< A to F mean what the owner of the snapshot wants
};

/// An append-only list of directories and their rows, in row order; then read-only but for flags.
/// Thread safety: one thread at a time; any number of readers once nothing is appended any more.
/// Limits: 2^32-1 entries, 4 GiB of locations, names and link targets together; begin_directory() and add()
/// say Errc::limit beyond, and Errc::invalid_argument when a requirement is not met (rows may come from a
/// peer). After either the snapshot is as before. Names are not checked otherwise: that is check_path()'s
/// business. Requires of every index that is passed in: it is below size() or directories().
class Snapshot {
 public:
  struct View {  ///< one entry, unpacked. Views live as long as the snapshot.
    std::string_view location;
    std::string_view name;
    Values values;
    std::string_view target;
    std::uint64_t inode = 0;
    std::uint64_t device = 0;
    std::uint32_t tag = 0;
    EntryFlags flags = 0;
    [[nodiscard]] PathView path() const noexcept { return {location, name}; }
  };
  struct Range {  ///< half open
    EntryIndex first = 0, last = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };

  Snapshot();
  ~Snapshot();
  Snapshot(Snapshot&&) noexcept;
  Snapshot& operator=(Snapshot&&) noexcept;  ///< what was moved from can only be assigned to or destroyed

  /// Starts the rows of `location`. Requires: sorts after the directory before it, or is the same one (then a
  /// no-op).
  [[nodiscard]] Result<DirectoryIndex> begin_directory(std::string_view location);
  /// Appends to the directory begun last. Requires: sorts after the row before it; name, target (empty but
  /// for a symlink) and location within the limits of path.h; mtime.ns below a second. `tag` is the caller's.
  /// Of the mode, the low 12 bits are kept. The root's own row has an empty name and is the first one of
  /// location "".
  [[nodiscard]] Result<EntryIndex> add(std::string_view name, const Values& values, std::string_view target,
                                       std::uint64_t device, std::uint64_t inode, EntryFlags flags,
                                       std::uint32_t tag = 0);

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::size_t directories() const noexcept;
  [[nodiscard]] View view(EntryIndex entry) const;  // O(log directories)
  /// Requires: `directory` is directory_of(entry).
  [[nodiscard]] View view(EntryIndex entry, DirectoryIndex directory) const;  // O(1)
  [[nodiscard]] std::string_view name(EntryIndex entry) const;
  [[nodiscard]] std::uint64_t file_size(EntryIndex entry) const;
  [[nodiscard]] Kind kind(EntryIndex entry) const;
  [[nodiscard]] EntryFlags flags(EntryIndex entry) const;
  [[nodiscard]] std::uint32_t tag(EntryIndex entry) const;
  void set_flags(EntryIndex entry, EntryFlags flags);
  void set_tag(EntryIndex entry, std::uint32_t tag);
  [[nodiscard]] std::string_view location(DirectoryIndex directory) const;
  [[nodiscard]] Range rows(DirectoryIndex directory) const;
  [[nodiscard]] DirectoryIndex directory_of(EntryIndex entry) const;
  /// Binary search. nullopt: no such directory was begun / no such row.
  [[nodiscard]] std::optional<DirectoryIndex> find_directory(std::string_view location) const;
  [[nodiscard]] std::optional<EntryIndex> find(PathView path) const;
  /// Among the rows of one directory.
  [[nodiscard]] std::optional<EntryIndex> find(Range rows, std::string_view name) const;
  /// Bytes held, for tests and reports.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync
