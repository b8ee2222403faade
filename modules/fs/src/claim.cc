#include "claim.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "ssync/base/host.h"
#include "ssync/base/random.h"
#include "ssync/fs/staging.h"

#include "c_name.h"

namespace ssync::fs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLockName = "lock";
constexpr std::size_t kBytes = 256;
constexpr std::chrono::milliseconds kLookAgain{200};

/// What the file says.
struct Holder {
  std::string epoch;
  std::string beat;
  bool held = false;
  std::string where;  ///< boot and pid namespace
  pid_t pid = 0;
};

std::string field(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(std::string("\n").append(key).append(" "));
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size() + 2;
  return std::string(text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin));
}

Holder parse(std::string_view text) {
  Holder holder;
  if (!text.starts_with("server-sync lock 1\n")) return holder;
  holder.epoch = field(text, "epoch");
  holder.beat = field(text, "beat");
  holder.held = field(text, "state") == "held";
  const std::string where = field(text, "where");
  const std::size_t space = where.rfind(' ');
  if (space == std::string::npos) return holder;
  holder.where = where.substr(0, space);
  holder.pid = static_cast<pid_t>(std::strtol(where.c_str() + space + 1, nullptr, 10));
  return holder;
}

/// This boot and this process namespace: where a pid means something.
std::string here() {
  std::string text;
  for (const std::byte byte : boot_fingerprint())
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  struct stat got {};
  const bool known = ::stat("/proc/self/ns/pid", &got) == 0;
  return text + fmt::format(" {}", known ? got.st_ino : 0);
}

bool is_known_dead(const Holder& holder) {
  return holder.where == here() && holder.pid > 0 && holder.pid != ::getpid() && ::kill(holder.pid, 0) != 0 &&
         errno == ESRCH;
}

Result<std::string> read_all(int fd) {
  std::array<char, kBytes> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  if (got < 0) return failed("reading the lock", kStateDirectory, errno);
  return std::string(text.data(), static_cast<std::size_t>(got));
}

/// Opens the file by its name, so that what is cached of an older descriptor is not what is read.
Result<Holder> read_holder(int directory) {
  const UniqueFd fd(::openat(directory, kLockName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("reading the lock", kStateDirectory, errno);
  SSYNC_TRY(const std::string text, read_all(fd.get()));
  return parse(text);
}

tl::unexpected<Error> busy(const Holder& holder) {
  return fail(Errc::busy, fmt::format("locking: in use by another server (process {} there, epoch {})",
                                      holder.pid, holder.epoch));
}

enum class Lock : std::uint8_t { held, taken, none };

Lock lock_file(int fd) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  for (;;) {
    if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return Lock::held;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EACCES ? Lock::taken : Lock::none;
  }
}

/// A lock that was given does not prove much: some file systems keep it to the mount. A holder that lives
/// beats.
Result<void> wait_for_silence(int directory, const Holder& before) {
  if (!before.held || before.epoch.empty() || is_known_dead(before)) return {};
  for (const auto until = Clock::now() + Claim::kDead; Clock::now() < until;) {
    std::this_thread::sleep_for(Claim::kBeat / 4);
    SSYNC_TRY(const Holder now, read_holder(directory));
    if (!now.held) return {};
    if (now.beat != before.beat || now.epoch != before.epoch) return busy(now);
  }
  return {};
}

}  // namespace

Claim::Claim(UniqueFd directory, UniqueFd lock, bool locked)
    : directory_(std::move(directory)), lock_(std::move(lock)), locked_(locked), epoch_(random_hex(16)) {}

Result<std::shared_ptr<Claim>> Claim::take(int root) {
  const std::string name(kStateDirectory);
  if (::mkdirat(root, name.c_str(), 0700) != 0 && errno != EEXIST) return std::shared_ptr<Claim>();
  UniqueFd directory(::openat(root, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return std::shared_ptr<Claim>();
  UniqueFd fd(::openat(directory.get(), kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return std::shared_ptr<Claim>();
  const Lock lock = lock_file(fd.get());
  SSYNC_TRY(const std::string text, read_all(fd.get()));
  const Holder before = parse(text);
  if (lock == Lock::taken) return busy(before);
  SSYNC_TRY_VOID(wait_for_silence(directory.get(), before));
  auto claim = std::make_shared<Claim>(std::move(directory), std::move(fd), lock == Lock::held);
  const MutexLock guard(claim->mutex_);
  SSYNC_TRY_VOID(claim->write(true, true));
  // When two servers found no holder at the same time, one has overwritten the other's claim.
  SSYNC_TRY(const Holder after, read_holder(claim->directory_.get()));
  if (after.epoch != claim->epoch_) return busy(after);
  claim->looked_ = Clock::now();
  return claim;
}

Claim::~Claim() {
  give_up();
}

void Claim::give_up() noexcept {
  const MutexLock lock(mutex_);
  if (!lock_) return;
  if (!lost_ && look()) static_cast<void>(write(false, false));  // best effort: the beat ends anyway
  if (!lost_) lost_ = Error{Errc::lost, "the lock of this mirror was given up", ESTALE};
  lock_.reset();
}

Result<void> Claim::write(bool held, bool durable) {
  std::string text = fmt::format("server-sync lock 1\nepoch {}\nbeat {:016x}\nstate {}\nwhere {} {}\n",
                                 epoch_, beat_, held ? "held" : "free", here(), ::getpid());
  text.resize(kBytes, ' ');
  const ssize_t put = ::pwrite(lock_.get(), text.data(), text.size(), 0);
  if (put < 0) return failed("writing the lock", kStateDirectory, errno);
  if (durable && (::fsync(lock_.get()) != 0 || ::fsync(directory_.get()) != 0) && errno != EINVAL)
    return failed("flushing the lock", kStateDirectory, errno);
  return {};
}

Result<void> Claim::look() {
  if (lost_) return fail(*lost_);
  const Result<Holder> now = read_holder(directory_.get());
  if (!now && now.error().code != Errc::not_found) return fail(now.error());
  if (now && now->epoch == epoch_) {
    looked_ = Clock::now();
    return {};
  }
  // An errno of its own kind: whoever sees it looks at the root, as for a mount that is gone.
  lost_ = Error{Errc::lost,
                now ? fmt::format("another server has taken this mirror over (epoch {}, ours was {})",
                                  escape(now->epoch), epoch_)
                    : "the lock of this mirror was removed",
                ESTALE};
  return fail(*lost_);
}

Result<void> Claim::beat() {
  const MutexLock lock(mutex_);
  SSYNC_TRY_VOID(look());
  ++beat_;
  return write(true, false);
}

Result<void> Claim::check() {
  const MutexLock lock(mutex_);
  if (!lost_ && Clock::now() - looked_ < kLookAgain) return {};
  return look();
}

}  // namespace ssync::fs
