#include "resolve.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "ssync/base/descriptors.h"

#include "c_name.h"

namespace ssync::fs {
namespace {

constexpr int kDirectoryFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// Passing through a directory needs search permission only, as in any path.
constexpr int kPassFlags = O_PATH | kDirectoryFlags;
constexpr int kListFlags = O_RDONLY | kDirectoryFlags;

int openat2_below(int at, const char* path, int flags) noexcept {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, at, path, &how, sizeof how);
  return fd >= 0 ? static_cast<int>(fd) : -errno;
}

}  // namespace

// One component at a time is as safe, since no component is "..", and none is followed when it is a link.
int Resolver::open_by_components(int at, char* piece, int flags) noexcept {
  UniqueFd held;
  for (char* begin = piece;;) {
    char* slash = std::strchr(begin, '/');
    if (slash != nullptr) *slash = '\0';
    const int fd = ::openat(at, begin, slash != nullptr ? kPassFlags : flags);
    if (fd < 0) return -errno;
    if (slash == nullptr) return fd;
    held.reset(fd);
    at = fd;
    begin = slash + 1;
  }
}

int Resolver::open_piece(int at, std::string_view piece, int flags) const noexcept {
  std::array<char, PATH_MAX> path;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  std::memcpy(path.data(), piece.data(), piece.size());
  path[piece.size()] = '\0';
  if (has_openat2_.load(std::memory_order_relaxed)) {
    const int fd = openat2_below(at, path.data(), flags);
    // EPERM is what seccomp filters of older container runtimes answer for calls they do not know; EAGAIN is
    // a rename somewhere on the system that the kernel cannot rule out to matter. Both leave it to the walk,
    // as does a kernel without the call.
    if (fd == -ENOSYS) has_openat2_.store(false, std::memory_order_relaxed);
    if (fd != -ENOSYS && fd != -EPERM && fd != -EAGAIN) return fd;
  }
  return open_by_components(at, path.data(), flags);
}

Result<UniqueFd> Resolver::open(int root, std::string_view location) const {
  constexpr std::size_t kPieceBytesMax = PATH_MAX - 1;
  UniqueFd held;
  int at = root;
  for (std::string_view rest = location;;) {
    const bool last = rest.size() <= kPieceBytesMax;
    // A component has at most 255 bytes, so there is a slash to cut at.
    const std::size_t cut = last ? rest.size() : rest.rfind('/', kPieceBytesMax);
    const int fd = open_with_patience([&] {
      const int opened = open_piece(at, rest.substr(0, cut), last ? kListFlags : kPassFlags);
      if (opened < 0) errno = -opened;
      return opened;
    });
    if (fd < 0) return failed("opening", location, errno == ELOOP ? ENOTDIR : errno);
    held.reset(fd);
    if (last) return held;
    at = fd;
    rest.remove_prefix(cut + 1);
  }
}

}  // namespace ssync::fs
