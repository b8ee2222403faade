#include "ssync/fs/same.h"

#include <algorithm>

#include "ssync/model/entry_rules.h"

namespace ssync::fs {
namespace {

FileTime possible(FileTime time) noexcept {
  return {time.s, std::min(time.ns, kTimeNsMax)};
}

bool same_times(const Seen& a, const Seen& b) noexcept {
  return a.values.size == b.values.size && possible(a.values.mtime) == possible(b.values.mtime);
}

}  // namespace

StableFields stable_of(const Volume& volume) noexcept {
  return {volume.stable_inodes, volume.stable_ctime, volume.names_move_ctime};
}

bool same_inode(const Seen& a, const Seen& b) noexcept {
  return a.device == b.device && a.inode == b.inode;
}

bool same_entry(const Seen& before, const Seen& now, StableInodes stable) noexcept {
  if (before.values.kind != now.values.kind) return false;
  if (stable == StableInodes::yes) return same_inode(before, now);
  return now.values.kind == Kind::directory || same_times(before, now);
}

bool same_content(const Seen& before, const Seen& now, StableInodes stable) noexcept {
  if (!same_entry(before, now, stable)) return false;
  return now.values.kind == Kind::directory || same_times(before, now);
}

bool unchanged(const Seen& before, const Seen& after) noexcept {
  // Where ctime does not move with content it does not move for nothing either.
  return same_times(before, after) && before.ctime == after.ctime;
}

bool same_stat(const Seen& held, const Seen& now, StableFields stable) noexcept {
  return held.values == now.values && (!stable.ctime || held.ctime == now.ctime) &&
         (!stable.inodes || held.inode == now.inode);
}

}  // namespace ssync::fs
