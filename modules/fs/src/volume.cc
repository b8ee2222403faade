// What may be believed on which file system. Types that are not in the table are local disk file systems as
// far as we know: their inode numbers and ctimes are believed, their f_fsid is not (many make it from the
// device number, which another disk may have after the next boot), nor that a directory's ctime tells of its
// names: an image has the ctimes it was made with, and a server's clock is not ours. Nor is a flock on a
// directory believed where others than this kernel may write (`shared`: FUSE and NFS keep it to the mount),
// nor syncfs where the kernel has no way to tell the other end to flush (FUSE, CIFS and 9p answer it at
// once).
#include "volume.h"

#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "c_name.h"

namespace ssync::fs {
namespace {

struct Type {
  std::uint64_t magic;
  std::string_view name;
  bool stable_inodes = true;
  bool stable_ctime = true;
  bool stable_id = false;
  bool names_move_ctime = false;
  bool shared = false;
  bool syncfs_flushes = true;
};

// linux/magic.h, and the kernel's or the module's own sources for those that are not in it.
constexpr std::array kTypes = {
    Type{0xEF53, "ext4", true, true, true, true},  // ext2 and ext3 have the same number
    Type{0x9123683E, "btrfs", true, true, true, true},
    Type{0x2FC12FC1, "zfs", true, true, true, true},  //
    Type{0xCA451A4E, "bcachefs", true, true, true, true},
    Type{0x58465342, "xfs", true, true, false, true},
    Type{0xF2F52010, "f2fs", true, true, false, true},
    Type{0x01021994, "tmpfs", true, true, false, true},
    Type{0x858458F6, "ramfs"},
    Type{0x3153464A, "jfs"},
    Type{0x52654973, "reiserfs"},
    Type{0x3434, "nilfs2"},
    Type{0x9660, "isofs"},
    Type{0x15013346, "udf"},
    Type{0x73717368, "squashfs"},
    Type{0xE0F5E1E2, "erofs"},
    Type{0x482B, "hfsplus"},
    Type{0x7366746E, "ntfs3"},
    Type{0x01021997, "9p", false, true, false, false, true, false},
    Type{0x794C7630, "overlay", true, false},
    Type{0x6969, "nfs", false, false, false, false, true, true},
    Type{0xFF534D42, "cifs", false, false, false, false, true, false},
    Type{0xFE534D42, "smb2", false, false, false, false, true, false},
    Type{0x517B, "smb", false, false, false, false, true, false},
    Type{0x65735546, "fuse", false, false, false, false, true, false},
    Type{0x5346544E, "ntfs", false, false},
    Type{0x2011BAB0, "exfat", false, false},
    Type{0x4D44, "vfat", false, false},
    Type{0x5346414F, "afs", false, false, false, false, true, false},
    Type{0x00C36400, "ceph", false, false, false, false, true, true},
    Type{0x786F4256, "vboxsf", false, false, false, false, true, false},
    // Nothing is known of what syncfs does on the next ones but of the first two, which are disk file
    // systems.
    Type{0x01161970, "gfs2", true, false, false, false, true, true},
    Type{0x7461636F, "ocfs2", true, false, false, false, true, true},
    Type{0x0BD00BD0, "lustre", false, false, false, false, true, false},
    Type{0x47504653, "gpfs", false, false, false, false, true, false},
    Type{0x19830326, "beegfs", false, false, false, false, true, false},
    Type{0x73757245, "coda", false, false, false, false, true, false},
    Type{0x7C7C6673, "prl_fs", false, false, false, false, true, false},
};

std::uint64_t id_of(const struct statfs& from) noexcept {
  const auto words = std::bit_cast<std::array<std::uint32_t, 2>>(from.f_fsid);
  return (std::uint64_t{words[1]} << 32U) | words[0];
}

}  // namespace

Result<Volume> volume_of(int fd) {
  struct statfs got {};
  while (::fstatfs(fd, &got) != 0) {
    if (errno != EINTR) return failed("asking for the file system", "", errno);
  }
  Volume volume;
  // On 32 bits f_type is an int, and half of the numbers above are negative.
  volume.type = static_cast<std::uint64_t>(got.f_type) & 0xFFFFFFFFU;
  const auto* const type = std::ranges::find(kTypes, volume.type, &Type::magic);
  if (type != kTypes.end()) {
    volume.type_name = type->name;
    volume.stable_inodes = type->stable_inodes;
    volume.stable_ctime = type->stable_ctime;
    volume.names_move_ctime = type->names_move_ctime;
    volume.shared = type->shared;
    volume.sets_mtime_alone = type->name != "fuse";
    volume.syncfs_flushes = type->syncfs_flushes;
    if (type->stable_id) volume.id = id_of(got);
  } else {
    volume.type_name = fmt::format("0x{:X}", volume.type);
  }
  // The reserve is for root.
  const auto blocks = ::geteuid() == 0 ? got.f_bfree : got.f_bavail;
  // Some network file systems say "all ones" for unknown.
  if (__builtin_mul_overflow(std::uint64_t{blocks}, static_cast<std::uint64_t>(got.f_frsize),
                             &volume.bytes_available)) {
    volume.bytes_available = std::numeric_limits<std::uint64_t>::max();
  }
  volume.read_only = (static_cast<unsigned long>(got.f_flags) & ST_RDONLY) != 0;
  return volume;
}

}  // namespace ssync::fs
