#include "stat.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "ssync/model/entry_rules.h"

namespace ssync::fs {
namespace {

// What a Stat holds and no more: network file systems ask the server for some of the rest.
constexpr unsigned kMask = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_MTIME |
                           STATX_CTIME | STATX_INO | STATX_SIZE | STATX_BLOCKS;

FileTime time_of(const struct statx_timestamp& stamp) noexcept {
  return {stamp.tv_sec, stamp.tv_nsec};
}

void set_type(Stat& into, unsigned mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG:
      into.type = Stat::Type::file;
      into.seen.values.kind = Kind::file;
      break;
    case S_IFDIR:
      into.type = Stat::Type::directory;
      into.seen.values.kind = Kind::directory;
      break;
    case S_IFLNK:
      into.type = Stat::Type::symlink;
      into.seen.values.kind = Kind::symlink;
      break;
    default:
      into.type = Stat::Type::other;
      into.seen.values.kind = Kind::special;
  }
}

// Type and number, for Values::size.
std::uint64_t special_id(const struct statx& from) noexcept {
  const std::uint64_t number = gnu_dev_makedev(from.stx_rdev_major, from.stx_rdev_minor);
  return (number << 4U | (from.stx_mode & S_IFMT) >> 12U) & kSizeMax;
}

void fill(Stat& into, const struct statx& from) noexcept {
  into = Stat{};
  set_type(into, from.stx_mode);
  Values& values = into.seen.values;
  if (into.type != Stat::Type::symlink) values.mode = static_cast<std::uint16_t>(from.stx_mode & 07777U);
  if (into.type == Stat::Type::file) values.size = from.stx_size;
  if (into.type == Stat::Type::other) values.size = special_id(from);
  values.mtime = time_of(from.stx_mtime);
  values.owner = {from.stx_uid, from.stx_gid};
  into.seen.ctime = time_of(from.stx_ctime);
  into.seen.ctime.ns %= 1'000'000'000;  // it only ever is compared: this way a damaged one still can be
  into.seen.device = gnu_dev_makedev(from.stx_dev_major, from.stx_dev_minor);
  into.seen.inode = from.stx_ino;
  into.seen.links = from.stx_nlink;
  into.blocks_512 = from.stx_blocks;
  if ((from.stx_mask & STATX_BTIME) != 0) into.birth = time_of(from.stx_btime);
  into.mount_point = into.type == Stat::Type::directory && (from.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

int stat_entry(int fd, const char* name, WithBirth birth, Stat& into, bool& knows_mounts) noexcept {
  const unsigned mask = birth == WithBirth::yes ? kMask | STATX_BTIME : kMask;
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  struct statx got {};
  if (::statx(fd, name, flags, mask, &got) != 0) return errno;
  fill(into, got);
  knows_mounts = (got.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
  return 0;
}

int stat_fd(int fd, WithBirth birth, Stat& into) noexcept {
  bool knows_mounts = false;
  return stat_entry(fd, "", birth, into, knows_mounts);
}

}  // namespace ssync::fs
