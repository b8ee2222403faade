// "Is it the same?", asked of two looks at an entry. Every answer of this kind is made here.
//
// Compared are (x: always; i: where inode numbers mean something; c: where ctimes mean something):
//
//                kind  device  inode  size, mtime  ctime  mode, owner
//  same_inode            x       x
//  same_entry     x      i       i
//  same_content   x      i       i         x
//  unchanged                               x         x
//  same_stat      x              i         x         c         x
//
// Where inode numbers mean nothing, same_entry compares size and mtime instead, but of a directory the kind
// alone. Of a directory, same_content is same_entry. Device and link count are not compared by same_stat: the
// one changes when a disk is mounted anew, the other moves ctime.
//
// The nanoseconds of an impossible time count as the nearest possible ones in same_entry, same_content and
// unchanged: a scan of a mirror has them so.
#pragma once

#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"

namespace ssync::fs {

enum class StableInodes : bool { no, yes };

/// Which fields of a stat mean something on the entry's file system.
struct StableFields {
  bool inodes = true;
  bool ctime = true;
  bool names = false;  ///< a name that comes or goes moves its directory's ctime
};
[[nodiscard]] StableFields stable_of(const Volume& volume) noexcept;

/// Two looks at one object of the file system, or at one that took its number.
[[nodiscard]] bool same_inode(const Seen& a, const Seen& b) noexcept;
/// What stands at the path is the entry that was seen before: it may be replaced, removed or moved as
/// planned.
[[nodiscard]] bool same_entry(const Seen& before, const Seen& now, StableInodes stable) noexcept;
/// same_entry(), and as far as size and mtime tell its content was not written since.
[[nodiscard]] bool same_content(const Seen& before, const Seen& now, StableInodes stable) noexcept;
/// Two stats of one open file, with nothing written in between.
[[nodiscard]] bool unchanged(const Seen& before, const Seen& after) noexcept;
/// What an earlier run knew of the entry under the stat `held` still holds.
[[nodiscard]] bool same_stat(const Seen& held, const Seen& now, StableFields stable) noexcept;

}  // namespace ssync::fs
