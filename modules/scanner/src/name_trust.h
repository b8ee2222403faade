// Which names of a directory may be believed without listing it.
//
// The base has the names that a directory had at the last scan. Where a name that comes or goes is known to
// move the directory's ctime, a directory whose stat is still the record's has these names and no others.
// Its entries are looked at as any others; only listing it is saved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ssync/fs/same.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/path.h"

namespace ssync::scanner {

/// A directory as it was found in the one above it.
struct FoundDirectory {
  const fs::Stat& stat;
  fs::StableFields stable;  ///< of the file system of the directory above
  FileTime clock;           ///< that file system's, before `stat` was taken
};

/// What the index has of a directory, at the path that it has now or had before.
struct RememberedDirectory {
  const index::Record& record;
  bool of_base = false;  ///< the base's own record. What the log says was not seen together with the names
  PathView path;         ///< of the record
};

/// Thread safety: any thread. The index outlives it.
class NameTrust {
 public:
  enum class Believe : bool { no, yes };
  /// Believe::no: every directory is listed.
  NameTrust(const index::Index& idx, Believe believe) noexcept : index_(idx), believe_(believe) {}

  /// How many names the base has of the directory, where these are the ones that it has now. nullopt: nothing
  /// is known, list it.
  [[nodiscard]] std::optional<std::uint32_t> believed(const FoundDirectory& found,
                                                      const RememberedDirectory& remembered) const;
  /// For the next scan to believe: `count`, the names that were just listed in `opened`. nullopt: `opened` is
  /// not the directory that was found, a name may have come or gone since, or a later one might not show.
  [[nodiscard]] std::optional<std::uint32_t> to_remember(const FoundDirectory& found, fs::Directory& opened,
                                                         std::size_t count) const;

 private:
  [[nodiscard]] bool names_show(const FoundDirectory& found) const;

  const index::Index& index_;
  const Believe believe_;
};

}  // namespace ssync::scanner
