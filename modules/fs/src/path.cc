#include "ssync/fs/path.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "ssync/base/unique_fd.h"

#include "c_name.h"
#include "path_check.h"

namespace ssync::fs {
namespace {

constexpr int kLinksMax = 40;  // as the kernel has it

void put_in_front(std::deque<std::string>& components, std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin && path.substr(begin, end - begin) != ".")
      parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  components.insert(components.begin(), parts.begin(), parts.end());
}

std::string user_text(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  std::string number = "user " + std::to_string(uid);
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return number;
  return number.append(" (").append(found->pw_name).append(")");
}

/// The user that stands for those who have no number in this user namespace; nullopt where all have one.
std::optional<uid_t> unmapped_user() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0, outside = 0, count = 0;
  if (!(map >> inside >> outside >> count) || count >= 0xffffffffU) return std::nullopt;
  std::ifstream overflow("/proc/sys/kernel/overflowuid");
  uid_t uid = 0;
  return overflow >> uid ? std::optional(uid) : std::nullopt;
}

}  // namespace

Result<void> check_link(const PathStep& step) {
  if (!S_ISLNK(step.self.st_mode)) return {};
  const auto refuse = [&](const std::string& why) {
    return fail(Errc::refused, "the symbolic link " + escape(step.path) + " on the way " + why +
                                   ", so it could lead anywhere: name the place that it leads to (" +
                                   escape(step.target) + ") instead");
  };
  const uid_t owner = step.self.st_uid;
  if (owner != 0 && owner != ::geteuid() && owner != unmapped_user())
    return refuse("belongs to " + user_text(owner));
  if ((step.parent.st_mode & S_IWOTH) != 0 && (step.parent.st_mode & S_ISVTX) == 0)
    return refuse("is in a directory that everybody may write, without the sticky bit");
  return {};
}

Result<std::string> walk_path(const std::string& path,
                              const std::function<Result<void>(const PathStep&)>& see) {
  std::deque<std::string> ahead;
  put_in_front(ahead, path);
  if (!path.starts_with('/')) {
    std::error_code error;
    const std::string here = std::filesystem::current_path(error).string();
    if (error) return failed("finding the current directory", "", error.value());
    put_in_front(ahead, here);
  }
  constexpr int kPass = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd at(::open("/", kPass));
  std::string so_far;
  for (int links = 0; at && !ahead.empty();) {
    const std::string name = std::move(ahead.front());
    ahead.pop_front();
    if (name == "..") {
      at.reset(::openat(at.get(), "..", kPass));
      so_far.resize(std::min(so_far.rfind('/'), so_far.size()));
      continue;
    }
    PathStep step;
    step.path.append(so_far).append("/").append(name);
    if (::fstat(at.get(), &step.parent) != 0 ||
        ::fstatat(at.get(), name.c_str(), &step.self, AT_SYMLINK_NOFOLLOW) != 0)
      return std::string();
    if (S_ISLNK(step.self.st_mode)) {
      std::array<char, PATH_MAX> target;  // NOLINT(cppcoreguidelines-pro-type-member-init)
      const ssize_t got = ::readlinkat(at.get(), name.c_str(), target.data(), target.size());
      if (got <= 0) return std::string();
      step.target.assign(target.data(), static_cast<std::size_t>(got));
      if (++links > kLinksMax) return failed("following links to", path, ELOOP);
      SSYNC_TRY_VOID(see(step));
      put_in_front(ahead, step.target);
      if (step.target.front() != '/') continue;
      at.reset(::open("/", kPass));
      so_far.clear();
      continue;
    }
    SSYNC_TRY_VOID(see(step));
    so_far = std::move(step.path);
    if (!ahead.empty()) at.reset(::openat(at.get(), name.c_str(), kPass));
  }
  if (!at) return std::string();
  return so_far.empty() ? "/" : so_far;
}

Result<void> check_links(const std::string& path) {
  SSYNC_TRY_VOID(walk_path(path, &check_link));
  return {};
}

bool make_accessible(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0) return false;
  constexpr mode_t kNeeded = S_IRUSR | S_IXUSR;  // a directory that may not be written is an ordinary one
  if (::geteuid() == 0 || found.st_uid != ::geteuid() || (found.st_mode & kNeeded) == kNeeded) return false;
  const mode_t mode = (found.st_mode & 07777) | S_IRWXU;
  return ::chmod(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), mode) == 0;
}

}  // namespace ssync::fs
