// Where the entries of a directory were at the last scan, if they had other paths then.
//
// A file that has no record at its path is looked up by its inode. What moved mostly moved with its
// directory: the first file found so says where the directory was, and the others are looked up by name in
// that place. Looking each up by inode would cost several reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ssync/index/index.h"
#include "ssync/model/entry.h"

namespace ssync::scanner {

/// For one directory. Thread safety: one thread at a time. The index outlives it.
class FormerPlace {
 public:
  /// `location`: the directory's, borrowed as long as this object. `was_at`: the location that it had before,
  /// where that is known already.
  FormerPlace(const index::Index& idx, std::string_view location, std::optional<std::string> was_at);
  /// Names are asked for in ascending order, from here on. A location that was found stays known.
  void begin();

  /// The index's records of the former place, for its names. Null: no such place is known. Valid until
  /// begin().
  [[nodiscard]] index::Index::Cursor* records() noexcept { return records_ ? &*records_ : nullptr; }
  /// The location that the directory `name` in this one had. Requires: had() was true of it.
  [[nodiscard]] std::string location_of(std::string_view name) const;

  /// Whether the index has this very inode under `name` in the former place; `record` is what it has.
  [[nodiscard]] bool had(std::string_view name, const Seen& seen, index::Record& record);
  /// Where this file was: by its name in the former place, else by its inode. nullopt: the index has it
  /// nowhere.
  [[nodiscard]] std::optional<index::InodeHit> find(std::string_view name, const Seen& seen);

 private:
  const index::Index& index_;
  const std::string_view location_;
  std::optional<std::string> was_at_;
  std::optional<index::Index::Cursor> records_;  ///< of was_at_
};

}  // namespace ssync::scanner
