#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "ssync/fs/tree.h"

#include "c_name.h"
#include "real_tree.h"

namespace ssync::fs {
namespace {

DirectoryId id_of(const struct stat& from) noexcept {
  return {from.st_dev, from.st_ino};
}

std::string join_components(const std::vector<std::string_view>& components) {
  std::string path;
  for (const std::string_view component : components)
    path.append("/").append(component);
  return path.empty() ? "/" : path;
}

// "" when it cannot be resolved; errno says why.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  return resolved ? std::string(resolved.get()) : std::string();
}

// Two spellings of one path must give one string, as the source's identity is made from it; but links stay as
// the user wrote them: that a deploy turns `current` to another release does not make it another source. ".."
// behind a link means the target's parent, so what stands before it is resolved.
Result<std::string> absolute(const std::string& path) {
  std::string full = path;
  if (!path.starts_with('/')) {
    std::error_code error;
    full = std::filesystem::current_path(error).string() + "/" + path;
    if (error) return failed("finding the current directory", "", error.value());
  }
  std::vector<std::string_view> components;
  std::size_t first_after_dots = 0;
  for (std::size_t begin = 0; begin < full.size();) {
    const std::size_t end = std::min(full.find('/', begin), full.size());
    const std::string_view component = std::string_view(full).substr(begin, end - begin);
    if (!component.empty() && component != ".") components.push_back(component);
    if (component == "..") first_after_dots = components.size();
    begin = end + 1;
  }
  if (first_after_dots == 0) return join_components(components);
  const auto cut = components.begin() + static_cast<std::ptrdiff_t>(first_after_dots);
  std::string resolved = resolve(join_components({components.begin(), cut}));
  if (resolved.empty()) return failed("opening", path, errno);
  if (cut == components.end()) return resolved;
  if (resolved == "/") resolved.clear();
  return resolved + join_components({cut, components.end()});
}

// True when the lock is held, false when the file system has none to give to a directory (NFS wants it open
// for writing).
Result<bool> lock(int fd, const std::string& path) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK)
      return fail(Errc::busy, "locking " + escape(path) + ": in use by another server");
    if (errno == EBADF || errno == EOPNOTSUPP || errno == ENOLCK || errno == ENOSYS || errno == EINVAL)
      return false;
    return failed("locking", path, errno);
  }
  return true;
}

}  // namespace

struct Root::Impl {
  Impl(UniqueFd fd, std::string absolute_path, bool by_link, bool is_locked)
      : tree(std::move(fd)), path(std::move(absolute_path)), named_by_link(by_link), locked(is_locked) {}

  RealTree tree;
  const std::string path;
  const bool named_by_link;
  const bool locked;
};

Root::Root(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Root::Root(Root&&) noexcept = default;
Root& Root::operator=(Root&&) noexcept = default;
Root::~Root() = default;

Result<Root> Root::open(const std::string& path, Lock lock_it) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return fail(Errc::invalid_argument, "opening '" + escape(path) + "': no path of a directory");
  }
  SSYNC_TRY(std::string full, absolute(path));
  UniqueFd fd(::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return failed("opening", path, errno);
  struct stat named {};
  const bool by_link = ::lstat(full.c_str(), &named) == 0 && S_ISLNK(named.st_mode);
  bool locked = false;
  if (lock_it == Lock::yes) {
    SSYNC_TRY(locked, lock(fd.get(), path));
  }
  return Root(std::make_unique<Impl>(std::move(fd), std::move(full), by_link, locked));
}

Tree& Root::tree() noexcept {
  return impl_->tree;
}
const std::string& Root::absolute_path() const noexcept {
  return impl_->path;
}
bool Root::named_by_link() const noexcept {
  return impl_->named_by_link;
}
bool Root::locked() const noexcept {
  return impl_->locked;
}

Result<RootIdentity> Root::identity() {
  SSYNC_TRY(const Volume volume, tree().volume());
  SSYNC_TRY(const std::unique_ptr<Directory> directory, tree().open(""));
  SSYNC_TRY(const Stat stat, directory->stat_self());
  return RootIdentity{volume.type, volume.id, stat.seen.inode, stat.birth};
}

Result<std::vector<DirectoryId>> Root::ancestry() {
  std::vector<DirectoryId> ids;
  UniqueFd held;
  for (int at = impl_->tree.fd();;) {
    struct stat got {};
    if (::fstat(at, &got) != 0) return failed("looking above", impl_->path, errno);
    // "/" is its own parent.
    if (!ids.empty() && ids.back() == id_of(got)) return ids;
    ids.push_back(id_of(got));
    const int above = ::openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (above < 0) return failed("looking above", impl_->path, errno);
    held.reset(above);
    at = above;
  }
}

bool Root::still_at_path() const {
  struct stat open_one {};
  struct stat named {};
  return ::fstat(impl_->tree.fd(), &open_one) == 0 && ::stat(impl_->path.c_str(), &named) == 0 &&
         id_of(open_one) == id_of(named);
}

}  // namespace ssync::fs
