// Metadata in place, by name or of the directory itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <limits>

#include "metadata.h"
#include "real_directory.h"

// Same number on all architectures; the headers of Debian 12 do not know it.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace ssync::fs {
namespace {

// 0 or errno; EOPNOTSUPP for a link. Linux has fchmodat2 since 6.6; glibc's fchmodat stands in with O_PATH
// and /proc/self/fd.
int chmod_entry(int fd, const char* name, mode_t mode) noexcept {
  static std::atomic<bool> has_fchmodat2{true};
  if (has_fchmodat2.load(std::memory_order_relaxed)) {
    if (::syscall(SYS_fchmodat2, fd, name, mode, AT_SYMLINK_NOFOLLOW) == 0) return 0;
    if (errno == ENOSYS) has_fchmodat2.store(false, std::memory_order_relaxed);
    // EPERM may be a seccomp filter's: ask again, the other way.
    if (errno != ENOSYS && errno != EPERM) return errno;
  }
  return ::fchmodat(fd, name, mode, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

// Last resort without /proc: needs read permission on the entry.
int chmod_opened(int fd, const char* name, mode_t mode) noexcept {
  const UniqueFd entry(::openat(fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!entry) return errno;
  return ::fchmod(entry.get(), mode) == 0 ? 0 : errno;
}

}  // namespace

Result<void> check_mtime(FileTime mtime) {
  if (mtime.ns < 1'000'000'000) return {};
  return fail(Errc::invalid_argument, "a time has 10^9 or more nanoseconds");
}

Result<void> check_owner(Owner owner) {
  constexpr std::uint32_t kUnchanged = std::numeric_limits<std::uint32_t>::max();
  if (owner.uid != kUnchanged && owner.gid != kUnchanged) return {};
  return fail(Errc::invalid_argument, "an owner of 4294967295 means none");
}

std::array<struct timespec, 2> times_of(FileTime mtime, Atime atime) noexcept {
  return {timespec{.tv_sec = 0, .tv_nsec = atime == Atime::stays ? UTIME_OMIT : UTIME_NOW},
          timespec{.tv_sec = static_cast<time_t>(mtime.s), .tv_nsec = static_cast<long>(mtime.ns)}};
}

Result<void> RealDirectory::set_mode(std::string_view name, std::uint16_t mode) {
  const mode_t wanted = mode & 07777U;
  SSYNC_TRY_VOID(tree_.may_change());
  if (name.empty()) {
    if (::fchmod(fd_.get(), wanted) != 0) return failed("setting the mode of", ".", errno);
    return attributes_changed(name);
  }
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  int err = chmod_entry(fd_.get(), entry.get(), wanted);
  if (err == EOPNOTSUPP) {
    struct stat got {};
    if (::fstatat(fd_.get(), entry.get(), &got, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(got.st_mode)) return {};
    err = chmod_opened(fd_.get(), entry.get(), wanted);
  }
  if (err != 0) return failed("setting the mode of", name, err);
  return attributes_changed(name);
}

Result<void> RealDirectory::set_owner(std::string_view name, Owner owner) {
  SSYNC_TRY_VOID(check_owner(owner));
  SSYNC_TRY_VOID(tree_.may_change());
  if (name.empty()) {
    if (::fchown(fd_.get(), owner.uid, owner.gid) != 0) return failed("setting the owner of", ".", errno);
    return attributes_changed(name);
  }
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  if (::fchownat(fd_.get(), entry.get(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return failed("setting the owner of", name, errno);
  }
  return attributes_changed(name);
}

Result<void> RealDirectory::set_mtime(std::string_view name, FileTime mtime) {
  SSYNC_TRY_VOID(check_mtime(mtime));
  const auto times = times_of(mtime, atime());
  SSYNC_TRY_VOID(tree_.may_change());
  if (name.empty()) {
    if (::futimens(fd_.get(), times.data()) != 0) return failed("setting the time of", ".", errno);
    return attributes_changed(name);
  }
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  if (::utimensat(fd_.get(), entry.get(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return failed("setting the time of", name, errno);
  }
  return attributes_changed(name);
}

}  // namespace ssync::fs
