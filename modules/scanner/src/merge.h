// What the index knew of an entry and what its stat says now: the doubt rule, and the record for the next
// base.
#pragma once

#include <optional>

#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/entry.h"

namespace ssync::scanner {

/// Which fields of a stat mean something on the entry's file system.
struct StableFields {
  bool inodes = true;
  bool ctime = true;
};

/// The index's answer for one path.
struct Known {
  using Found = index::Index::Cursor::Found;
  Found found = Found::no;
  index::Record record;  ///< when found is yes
};

struct MergeRules {
  index::Role role = index::Role::source;
  bool first_contact = false;  ///< there is no index at all
  StableFields stable;
  FileTime clock;  ///< the file system's, before the directory's entries were read
};

/// An entry's part of a ScannedEntry and of the next base.
struct Merged {
  bool doubt = false;
  index::Record record;  ///< its checksum and digest are proven, so they are the entry's too; so is `wanted`
};

/// Whether `now` shows no change since `held`. Device and link count are not compared: the one changes when a
/// disk is mounted anew, the other moves ctime.
[[nodiscard]] bool same_stat(const Seen& held, const Seen& now, StableFields stable) noexcept;

/// For an entry that has a record at its path, or none anywhere.
[[nodiscard]] Merged merge(const MergeRules& rules, const Known& known, const Seen& now);

/// For a file without a record at its path whose inode is known from another one: true when that makes it an
/// origin. When size, mtime and ctime are the same, `merged` becomes free of doubt and takes the content's
/// checksum and digest over.
[[nodiscard]] bool merge_origin(const MergeRules& rules, const index::Record& old, const Seen& now,
                                Merged& merged, bool& proven);

}  // namespace ssync::scanner
