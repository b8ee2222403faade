// Which extended attributes an entry has, by their names alone.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "real_directory.h"

// Linux 6.13; the same number on the architectures named, and the headers of Debian 12 do not know it.
#if !defined(SYS_listxattrat) && (defined(__x86_64__) || defined(__aarch64__) || defined(__riscv))
#define SYS_listxattrat 465
#endif

namespace ssync::fs {
namespace {

constexpr std::size_t kNamesUsual = 1024;
constexpr std::size_t kNamesMax = 64 * 1024;  // XATTR_LIST_MAX

// Put on entries by the system, not by people, and made anew by the mirror's own where it wants them.
constexpr std::array<std::string_view, 4> kLabels = {"security.selinux", "security.SMACK64",
                                                     "system.nfs4_acl", "system.nfs4_dacl"};

bool is_label(std::string_view name) {
  return std::ranges::find(kLabels, name) != kLabels.end() || name.starts_with("trusted.overlay.");
}

std::uint8_t bits_of(std::string_view names) {
  unsigned bits = 0;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('\0'));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    if (is_label(name)) continue;
    bits |= kHasAttributes;
    if (name.starts_with("system.posix_acl_")) bits |= kHasAcl;
    if (name == "security.capability") bits |= kHasCapability;
  }
  return static_cast<std::uint8_t>(bits);
}

// Without the system call: by a path that leads through the open directory, links not followed at its end.
ssize_t list_by_proc(int fd, const char* name, char* into, std::size_t size) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd) + "/" + name;
  return ::llistxattr(path.c_str(), into, size);
}

ssize_t list_names(int fd, const char* name, char* into, std::size_t size) {
#ifdef SYS_listxattrat
  static std::atomic<bool> has_listxattrat{true};
  if (has_listxattrat.load(std::memory_order_relaxed)) {
    const long got = ::syscall(SYS_listxattrat, fd, name, AT_SYMLINK_NOFOLLOW, into, size);
    if (got >= 0) return got;
    if (errno == ENOSYS) has_listxattrat.store(false, std::memory_order_relaxed);
    // EPERM may be a seccomp filter's: ask again, the other way.
    if (errno != ENOSYS && errno != EPERM) return -1;
  }
#endif
  return list_by_proc(fd, name, into, size);
}

}  // namespace

Result<std::uint8_t> RealDirectory::unmirrored(std::string_view name) {
  CName c_name;
  if (!name.empty()) SSYNC_TRY_VOID(c_name.set(name));
  const char* const at = name.empty() ? "." : c_name.get();
  std::array<char, kNamesUsual> usual;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  ssize_t got = list_names(fd_.get(), at, usual.data(), usual.size());
  if (got >= 0) return bits_of({usual.data(), static_cast<std::size_t>(got)});
  if (errno == ERANGE) {
    std::vector<char> all(kNamesMax);
    got = list_names(fd_.get(), at, all.data(), all.size());
    if (got >= 0) return bits_of({all.data(), static_cast<std::size_t>(got)});
  }
  if (errno == EOPNOTSUPP) return std::uint8_t{0};
  return failed("listing the attributes of", name, errno);
}

}  // namespace ssync::fs
