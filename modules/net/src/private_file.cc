#include "ssync/net/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "ssync/base/random.h"
#include "ssync/base/text.h"
#include "ssync/base/unique_fd.h"

namespace ssync::net {
namespace {

constexpr mode_t kOthers = 077;

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// root's too: who is root need not change a file to read it.
bool is_trusted(uid_t uid) noexcept {
  return uid == ::geteuid() || uid == 0;
}

Result<void> check_directory(const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) return fail(errno_error("stat " + escape(directory), errno));
  if (!is_trusted(status.st_uid)) {
    return fail(Errc::permission, fmt::format("{} belongs to user {}, who could put another file there",
                                              escape(directory), status.st_uid));
  }
  const bool others_write = (status.st_mode & 022U) != 0 && (status.st_mode & S_ISVTX) == 0;
  if (others_write) {
    return fail(Errc::permission, fmt::format("{} can be written by others (mode {:04o}): chmod go-w {}",
                                              escape(directory), status.st_mode & 07777U, escape(directory)));
  }
  return {};
}

Result<void> check_file(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return fail(Errc::permission, escape(path) + " is no regular file");
  if (!is_trusted(status.st_uid)) {
    return fail(Errc::permission, fmt::format("{} belongs to user {}: chown {} {}", escape(path),
                                              status.st_uid, ::geteuid(), escape(path)));
  }
  if ((status.st_mode & kOthers) != 0) {
    return fail(Errc::permission,
                fmt::format("{} can be used by others (mode {:04o}), so it is secret no more: chmod 600 {}",
                            escape(path), status.st_mode & 07777U, escape(path)));
  }
  return {};
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail(errno_error("write", errno));
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(fd) == 0 ? Result<void>() : fail(errno_error("fsync", errno));
}

/// link(2) fails where the name is taken; rename(2) takes it.
Result<void> give_name(const std::string& temporary, const std::string& path, IfThere if_there) {
  const bool replace = if_there == IfThere::replace;
  const int rc =
      replace ? ::rename(temporary.c_str(), path.c_str()) : ::link(temporary.c_str(), path.c_str());
  if (rc != 0) return fail(errno_error(replace ? "rename" : "link", errno));
  return {};
}

}  // namespace

Result<std::string> read_private_file(const std::string& path, std::size_t bytes_max) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (!fd && errno == ELOOP) return fail(Errc::permission, escape(path) + " is a symbolic link");
  if (!fd) return fail(errno_error(escape(path), errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(errno_error("stat " + escape(path), errno));
  SSYNC_TRY_VOID(check_file(path, status));
  SSYNC_TRY_VOID(check_directory(directory_of(path)));
  std::string text(bytes_max + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error("read " + escape(path), errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > bytes_max)
    return fail(Errc::limit, fmt::format("{}: more than {} bytes", escape(path), bytes_max));
  text.resize(have);
  return text;
}

Result<void> write_private_file(const std::string& path, std::string_view text, IfThere if_there) {
  const std::string temporary = path + "." + random_hex(8);
  const auto failed = [&](Error error) { return fail(context(std::move(error), escape(path))); };
  {
    const UniqueFd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
    if (!fd) return fail(errno_error(escape(temporary), errno));
    Result<void> written = write_all(fd.get(), text);
    // Whatever the umask was; a file that a server makes with umask 0 is private all the same.
    if (written && ::fchmod(fd.get(), 0600) != 0) written = fail(errno_error("chmod", errno));
    if (!written) {
      ::unlink(temporary.c_str());
      return failed(std::move(written).error());
    }
  }
  Result<void> named = give_name(temporary, path, if_there);
  if (!named || if_there == IfThere::keep) ::unlink(temporary.c_str());
  if (!named) return failed(std::move(named).error());
  const UniqueFd directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) static_cast<void>(::fsync(directory.get()));
  return {};
}

Result<void> make_directories(const std::string& directory) {
  for (std::size_t slash = directory.find('/', 1);; slash = directory.find('/', slash + 1)) {
    const std::string one = directory.substr(0, slash);
    if (::mkdir(one.c_str(), 0700) != 0 && errno != EEXIST)
      return fail(errno_error("make directory " + escape(one), errno));
    if (slash == std::string::npos) return {};
  }
}

Result<void> make_private_directory(const std::string& directory, std::string_view what) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(errno_error("make directory " + escape(directory), errno));
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0) return fail(errno_error("stat " + escape(directory), errno));
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::refused, fmt::format("{} cannot hold {}: {}", escape(directory), what, why));
  };
  if (!S_ISDIR(status.st_mode)) return refuse("it is not a directory");
  if (status.st_uid != ::geteuid()) return refuse(fmt::format("it belongs to user {}", status.st_uid));
  if ((status.st_mode & kOthers) != 0)
    return refuse(fmt::format("others may use it (mode {:04o})", status.st_mode & 07777U));
  return {};
}

}  // namespace ssync::net
