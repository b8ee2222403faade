#include "state_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <xxhash.h>

namespace ssync::index {

namespace {

std::string hash_of_path(std::string_view path) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(path.data(), path.size()));
  std::string hex;
  for (const unsigned char byte : canonical.digest)
    hex += fmt::format("{:02x}", byte);
  return hex;
}

Result<void> make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      const int err = errno;
      struct stat status {};
      // A parent that exists may say EROFS or EACCES rather than EEXIST.
      if (::stat(part.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
        return fail(errno_error("making the state directory " + part, err));
    }
    if (end == std::string::npos) return {};
  }
}

/// Whether a process of this id runs: then its temporary file may be in use.
bool runs(std::string_view pid_text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(pid_text.data(), pid_text.data() + pid_text.size(), pid);
  if (error != std::errc{} || end != pid_text.data() + pid_text.size() || pid <= 0) return false;
  return ::kill(pid, 0) == 0 || errno != ESRCH;
}

}  // namespace

Result<StateFiles> StateFiles::open(const std::string& state_dir, Role role, std::string_view root_path) {
  if (state_dir.empty()) return fail(Errc::invalid_argument, "an empty name for the state directory");
  SSYNC_TRY_VOID(make_directories(state_dir));
  StateFiles files;
  files.directory_ = state_dir;
  files.fd_ = UniqueFd(::open(state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!files.fd_) return fail(errno_error("opening the state directory " + state_dir, errno));
  const std::string stem =
      fmt::format("{}-{}", role == Role::source ? "source" : "mirror", hash_of_path(root_path));
  files.base_name_ = stem + ".index";
  files.log_name_ = stem + ".log";
  return files;
}

std::string StateFiles::path_of(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

Result<UniqueFd> StateFiles::open_existing(const std::string& name, int flags) const {
  // O_NONBLOCK: somebody's fifo of that name must not hold us up.
  UniqueFd fd(::openat(fd_.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return UniqueFd();
    return fail(errno_error("opening " + path_of(name), errno));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(errno_error("opening " + path_of(name), errno));
  if (!S_ISREG(status.st_mode)) return fail(Errc::corrupt, path_of(name) + " is no regular file");
  return fd;
}

std::string StateFiles::temporary_name(const std::string& name) {
  return fmt::format("{}.new.{}", name, ::getpid());
}

Result<UniqueFd> StateFiles::create_temporary(const std::string& name) const {
  remove_abandoned(name);
  const std::string temporary = temporary_name(name);
  SSYNC_TRY_VOID(remove(temporary));
  UniqueFd fd(
      ::openat(fd_.get(), temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail(errno_error("creating " + path_of(temporary), errno));
  return fd;
}

void StateFiles::remove_abandoned(const std::string& name) const {
  // A descriptor of its own: reading a directory moves its position, and fdopendir takes it over.
  UniqueFd fd(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd.get()), &::closedir);
  if (!listing) return;
  static_cast<void>(fd.release());  // closedir has it now
  const std::string prefix = name + ".new.";
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view found(entry->d_name);
    if (!found.starts_with(prefix) || runs(found.substr(prefix.size()))) continue;
    ::unlinkat(fd_.get(), entry->d_name, 0);  // on failure it stays: it costs space, nothing else
  }
}

Result<void> StateFiles::replace(const std::string& name) const {
  const std::string temporary = temporary_name(name);
  if (::renameat(fd_.get(), temporary.c_str(), fd_.get(), name.c_str()) != 0)
    return fail(errno_error("renaming to " + path_of(name), errno));
  return {};
}

Result<void> StateFiles::sync_directory() const {
  // Some network file systems cannot flush a directory; the rename is then as durable as they make it.
  if (::fsync(fd_.get()) != 0 && errno != EINVAL) return fail(errno_error("flushing " + directory_, errno));
  return {};
}

std::optional<FileTime> StateFiles::mtime_of(const std::string& name) const {
  struct stat status {};
  if (::fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return FileTime{status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
}

void StateFiles::set_mtime(const std::string& name, FileTime time) const noexcept {
  const std::array<struct timespec, 2> times = {
      timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
      timespec{.tv_sec = static_cast<time_t>(time.s), .tv_nsec = static_cast<long>(time.ns)}};
  static_cast<void>(::utimensat(fd_.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW));
}

Result<void> StateFiles::remove(const std::string& name) const {
  if (::unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return fail(errno_error("removing " + path_of(name), errno));
  return {};
}

Result<std::size_t> read_at(int fd, std::uint64_t offset, std::span<std::uint8_t> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count =
        ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error("pread", errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<void> write_all(int fd, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error("write", errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_file(int fd) {
  if (::fsync(fd) != 0) return fail(errno_error("fsync", errno));
  return {};
}

Result<std::uint64_t> size_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail(errno_error("fstat", errno));
  return static_cast<std::uint64_t>(status.st_size);
}

bool is_state_file_name(std::string_view name) noexcept {
  if (name.starts_with("server-sync.machine-id")) {  // the source's, where a machine has none
    name.remove_prefix(22);
    return name.empty() || name.starts_with(".new.");
  }
  constexpr std::size_t kRoleBytes = 7;  // "source-", "mirror-"
  constexpr std::size_t kStemBytes = kRoleBytes + 32;
  if (name.size() < kStemBytes || !(name.starts_with("source-") || name.starts_with("mirror-"))) return false;
  if (name.substr(kRoleBytes, 32).find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return false;
  std::string_view rest = name.substr(kStemBytes);
  const std::size_t kind = rest.starts_with(".index") ? 6 : rest.starts_with(".log") ? 4 : 0;
  if (kind == 0) return false;
  rest.remove_prefix(kind);
  if (rest.empty()) return true;
  if (!rest.starts_with(".new.") || rest.size() == 5) return false;
  return rest.substr(5).find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::string> default_state_dir() {
  // XDG Base Directory Specification: relative paths in these variables are invalid and ignored.
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && state[0] == '/')
    return std::string(state) + "/server-sync";
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/')
    return std::string(home) + "/.local/state/server-sync";
  return fail(Errc::not_found,
              "neither XDG_STATE_HOME nor HOME is set: name a state directory (--state-dir)");
}

bool holds_only_state(const std::string& directory) noexcept {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (!is_state_file_name(entry->path().filename().native())) return false;
  }
  return !error;
}

}  // namespace ssync::index
