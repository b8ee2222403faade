#include "real_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>
#include <string>
#include <utility>

#include "c_name.h"
#include "real_directory.h"
#include "volume.h"

namespace ssync::fs {
namespace {

// umask(2) can only be read by setting it, for all threads. /proc tells it; without /proc every bit counts as
// masked, which costs an fchmod a file and is right.
mode_t process_umask() {
  constexpr mode_t kUnknown = 0777;
  const UniqueFd status(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  if (!status) return kUnknown;
  std::string text(4096, '\0');
  const ssize_t got = ::read(status.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  constexpr std::string_view kKey = "\nUmask:\t";
  const std::size_t at = text.find(kKey);
  if (at == std::string::npos) return kUnknown;
  mode_t mask = kUnknown;
  const char* const begin = text.data() + at + kKey.size();
  const auto parsed = std::from_chars(begin, text.data() + text.size(), mask, 8);
  return parsed.ec == std::errc{} ? mask : kUnknown;
}

}  // namespace

RealTree::RealTree(UniqueFd root) : root_(std::move(root)), umask_(process_umask()) {}

Result<std::unique_ptr<Directory>> RealTree::open(std::string_view location) {
  if (location.empty()) {
    // A description of its own: handles must not share the position that list() moves.
    UniqueFd fd(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failed("opening", ".", errno);
    return std::make_unique<RealDirectory>(*this, std::move(fd));
  }
  SSYNC_TRY_VOID(check_location(location));
  SSYNC_TRY(UniqueFd fd, resolver_.open(root_.get(), location));
  return std::make_unique<RealDirectory>(*this, std::move(fd));
}

Result<Volume> RealTree::volume() {
  return volume_of(root_.get());
}

Result<void> RealTree::sync() {
  if (::syncfs(root_.get()) != 0) return failed("syncing the file system", "", errno);
  return {};
}

FileTime RealTree::clock() const {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return {now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)};
}

}  // namespace ssync::fs
