#include "real_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>
#include <string>
#include <utility>

#include "ssync/base/descriptors.h"

#include "c_name.h"
#include "real_directory.h"
#include "root_watch.h"
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

/// What a sync opens whatever happens: sockets, index, a directory and a file of each thread.
constexpr std::size_t kNeededBySync = 40;
/// How many handles all parts of a sync together keep open for later when nothing limits them.
constexpr std::size_t kSpareUsual = 400;

std::size_t spare_now() {
  const std::size_t left = descriptors_left();
  return left > kNeededBySync ? left - kNeededBySync : 0;
}

std::optional<std::uint64_t> device_of(int fd) {
  struct stat got {};
  return ::fstat(fd, &got) == 0 ? std::optional<std::uint64_t>(got.st_dev) : std::nullopt;
}

}  // namespace

RealTree::RealTree(UniqueFd root, const Volume& volume, std::shared_ptr<Claim> claim)
    : root_(std::move(root)),
      umask_(process_umask()),
      spare_handles_(spare_now()),
      habits_{volume.syncfs_flushes, volume.sets_mtime_alone},
      claim_(std::move(claim)) {
  device_ = device_of(root_.get());
}

std::size_t RealTree::worth_keeping(std::size_t wanted) const {
  if (spare_handles_ >= kSpareUsual) return wanted;
  return wanted * spare_handles_ / kSpareUsual;
}

Result<std::unique_ptr<Directory>> RealTree::open(std::string_view location) {
  if (location.empty()) {
    // A description of its own: handles must not share the position that list() moves.
    UniqueFd fd(open_with_patience(
        [this] { return ::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) return failed("opening", ".", errno);
    return std::make_unique<RealDirectory>(*this, std::move(fd), std::string());
  }
  SSYNC_TRY_VOID(check_location(location));
  SSYNC_TRY(UniqueFd fd, resolver_.open(root_.get(), location));
  return std::make_unique<RealDirectory>(*this, std::move(fd),
                                         std::string(remembers() ? location : std::string_view()));
}

Result<Volume> RealTree::volume() {
  return volume_of(root_.get());
}

Habits RealTree::habits_of(int directory) {
  const std::optional<std::uint64_t> device = device_of(directory);
  if (!device || device == device_) return habits_;
  return mounts_.habits_of(directory, *device);
}

Result<void> RealTree::sync() {
  SSYNC_TRY_VOID(unflushed_.flush(root_.get(), resolver_));
  SSYNC_TRY_VOID(mounts_.sync());
  if (habits_.syncfs_flushes && ::syncfs(root_.get()) != 0)
    return failed("syncing the file system", "", errno);
  return {};
}

void RealTree::will_sync(bool will) {
  unflushed_.want(will);
  mounts_.keep(will);
}

Result<void> RealTree::changed(std::string_view location, std::string_view name) {
  unflushed_.add(location, name);
  return unflushed_.is_full() ? sync() : Result<void>();
}

Result<void> RealTree::look_at_root() {
  if (claim_) SSYNC_TRY_VOID(claim_->check());
  return ask_root(root_.get());
}

FileTime RealTree::clock() const {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return {now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)};
}

}  // namespace ssync::fs
