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

#include <xxhash.h>

#include "ssync/fs/path.h"
#include "ssync/fs/tree.h"

#include "c_name.h"
#include "claim.h"
#include "lost.h"
#include "path_check.h"
#include "real_tree.h"
#include "root_watch.h"
#include "volume.h"

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

// Two spellings of one path must give one string, as the source's identity is made from it; but links stay as
// the user wrote them: that a deploy turns `current` to another release does not make it another source. ".."
// behind a link means the target's parent, so what stands before it is resolved. Only through links that may
// be trusted, as whoever looks at the result does not see them.
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
  const std::string before = join_components({components.begin(), cut});
  SSYNC_TRY(std::string resolved, walk_path(before, &check_link));
  if (resolved.empty()) {
    struct stat ignored {};
    return failed("opening", path, ::stat(before.c_str(), &ignored) == 0 ? ENOENT : errno);
  }
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
  Impl(UniqueFd fd, const Volume& volume, std::string absolute_path, bool by_link, bool is_locked,
       const std::shared_ptr<Claim>& held)
      : claim(held),
        epoch(claim ? claim->epoch() : std::string()),
        tree(std::move(fd), volume, claim),
        path(std::move(absolute_path)),
        named_by_link(by_link),
        locked(is_locked) {
    if (!volume.shared) return;
    if (UniqueFd watched(::fcntl(tree.fd(), F_DUPFD_CLOEXEC, 0)); watched)
      watch.emplace(std::move(watched), claim);
  }

  const std::shared_ptr<Claim> claim;
  const std::string epoch;
  RealTree tree;
  std::optional<RootWatch> watch;
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
  Result<std::string> named_so = absolute(path);
  if (!named_so && named_so.error().code == Errc::refused)
    return fail(context(named_so.error(), "opening " + escape(path)));
  SSYNC_TRY(std::string full, std::move(named_so));
  struct stat seen {};  // at the end of the way that was checked
  const auto check = [&]() -> Result<void> {
    SSYNC_TRY_VOID(walk_path(full, [&](const PathStep& step) {
      seen = step.self;
      return check_link(step);
    }));
    return {};
  };
  if (Result<void> trusted = check(); !trusted)
    return fail(context(trusted.error(), "opening " + escape(path)));
  UniqueFd fd(::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd && errno == EACCES && lock_it == Lock::yes && make_accessible(full))
    fd.reset(::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    auto error = failed("opening", path, errno);
    if (may_be_lost(error.value().sys_errno)) {
      error.value() = context(std::move(error.value()), kLostRemedy);
      error.value().code = Errc::lost;
    }
    return error;
  }
  struct stat got {};
  if (::fstat(fd.get(), &got) != 0) return failed("opening", path, errno);
  // Opening may mount what is mounted when it is needed: then the second look sees what was opened.
  const bool is_what_was_checked =
      full == "/" || id_of(got) == id_of(seen) || (check() && id_of(got) == id_of(seen));
  if (!is_what_was_checked)
    return fail(Errc::changed, "opening " + escape(path) + ": it was exchanged meanwhile");
  struct stat named {};
  const bool by_link = ::lstat(full.c_str(), &named) == 0 && S_ISLNK(named.st_mode);
  SSYNC_TRY(const Volume volume, volume_of(fd.get()));
  bool locked = false;
  std::shared_ptr<Claim> claim;
  if (lock_it == Lock::yes && volume.shared) {
    Result<std::shared_ptr<Claim>> taken = Claim::take(fd.get());
    if (!taken) return fail(context(std::move(taken).error(), escape(path)));
    claim = *std::move(taken);
    locked = claim && claim->locked();
  } else if (lock_it == Lock::yes) {
    SSYNC_TRY(locked, lock(fd.get(), path));
  }
  return Root(std::make_unique<Impl>(std::move(fd), volume, std::move(full), by_link, locked, claim));
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

const std::string& Root::epoch() const noexcept {
  return impl_->epoch;
}
std::optional<Error> Root::trouble() const {
  return impl_->watch ? impl_->watch->trouble() : std::nullopt;
}

void Root::give_up() noexcept {
  if (impl_->claim) impl_->claim->give_up();
}

namespace {

Result<std::uint64_t> hash_of_links(const std::string& path) {
  std::string said;
  SSYNC_TRY_VOID(walk_path(path, [&](const PathStep& step) -> Result<void> {
    if (!S_ISLNK(step.self.st_mode)) return {};
    said.append(step.path).push_back('\0');
    said.append(step.target).push_back('\0');
    said += std::to_string(step.self.st_ino) + "/" + std::to_string(step.self.st_ctim.tv_sec) + "/" +
            std::to_string(step.self.st_ctim.tv_nsec) + "/";
    return {};
  }));
  if (said.empty()) return 0;
  const std::uint64_t hash = XXH3_64bits(said.data(), said.size());
  return hash == 0 ? 1 : hash;
}

}  // namespace

Result<RootIdentity> Root::identity() {
  SSYNC_TRY(const Volume volume, tree().volume());
  SSYNC_TRY(const std::unique_ptr<Directory> directory, tree().open(""));
  SSYNC_TRY(const Stat stat, directory->stat_self());
  SSYNC_TRY(const std::uint64_t links, hash_of_links(impl_->path));
  SSYNC_TRY(const std::vector<DirectoryId> chain, ancestry());
  const auto below = std::find_if(chain.begin(), chain.end(),
                                  [&](const DirectoryId& id) { return id.device != chain.front().device; });
  const auto levels = static_cast<std::uint32_t>(below - chain.begin());
  // A mount that comes back has other inode numbers where these say nothing.
  if (!volume.stable_inodes) return RootIdentity{volume.type, volume.id, 0, std::nullopt, links, levels};
  return RootIdentity{volume.type, volume.id, stat.seen.inode, stat.birth, links, levels};
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

std::vector<std::string> Root::paths_of(const std::string& file) const {
  const std::size_t slash = file.rfind('/');
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  const std::string directory = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const auto resolved = [](const std::string& path) {
    return walk_path(path, [](const PathStep&) -> Result<void> { return {}; }).value_or(std::string());
  };
  const std::string below = resolved(impl_->path);
  const std::string above = resolved(directory);
  if (name.empty() || below.empty() || above.empty()) return {};
  const std::string full = (above == "/" ? "" : above) + "/" + name;
  const std::string prefix = below == "/" ? "/" : below + "/";
  if (!full.starts_with(prefix)) return {};
  return {full.substr(prefix.size())};
}

bool Root::still_at_path() const {
  struct stat open_one {};
  struct stat named {};
  return ::fstat(impl_->tree.fd(), &open_one) == 0 && ::stat(impl_->path.c_str(), &named) == 0 &&
         id_of(open_one) == id_of(named);
}

}  // namespace ssync::fs
