// What the index knew of an entry and what its stat says now: the doubt rule, and the record for the next
// base.
#pragma once

#include <optional>

#include "ssync/fs/same.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/entry.h"

namespace ssync::scanner {

/// The index's answer for one path, and after merge() what the next base has of it.
struct Known {
  using Found = index::Index::Cursor::Found;
  Found found = Found::no;
  index::Record record;  ///< means something when found is yes
};

struct MergeRules {
  index::Role role = index::Role::source;
  bool first_contact = false;  ///< there is no index at all
  fs::StableFields stable;
  FileTime clock;  ///< the file system's, before the directory's entries were read
};

/// What is kept of a directory beside its stat.
struct DirectoryFacts {
  std::optional<std::uint32_t> names;  ///< Record::names
  bool boundary = false;               ///< Record::boundary
};

struct Merged {
  bool doubt = false;      ///< the stat proves nothing about the content
  bool as_before = false;  ///< the record is what the index has
  bool as_known = false;   ///< the stat is the record's
};

/// For an entry that has a record at its path, or none anywhere. `known.record` becomes that of the next
/// base: its checksum and digest are proven, so they are the entry's too; so is `wanted`.
[[nodiscard]] Merged merge(const MergeRules& rules, Known& known, const Seen& now,
                           const DirectoryFacts& facts);

/// For a file without a record at its path whose inode is known from another one: true when that makes it an
/// origin. When size, mtime and ctime are the same, it becomes free of doubt and `record` takes the content's
/// checksum and digest over.
[[nodiscard]] bool merge_origin(const MergeRules& rules, const index::Record& old, const Seen& now,
                                index::Record& record, bool& doubt, bool& proven);

}  // namespace ssync::scanner
