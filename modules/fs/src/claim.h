#pragma once

// Who writes a mirror on a file system that other machines reach. A directory's flock is local to the mount
// there (FUSE, NFS), and some locks are local without saying so. So a regular file with a reserved name is
// locked, and it tells of its holder: an epoch, new with every holder, and a beat that moves while it lives.
//
// Format of `.server-sync.state/lock`, in one write of 256 bytes, padded with spaces:
//   "server-sync lock 1\nepoch <32 hex>\nbeat <16 hex>\nstate held|free\nwhere <32 hex> <pid namespace>
//   <pid>\n"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ssync/base/mutex.h"
#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

namespace ssync::fs {

/// Thread safety: any thread.
class Claim {
 public:
  /// A holder whose beat stands still for so long is dead. Longer than some beats, and short enough that
  /// another machine is at work within ten seconds.
  static constexpr std::chrono::milliseconds kBeat{1000};
  static constexpr std::chrono::milliseconds kDead{4000};

  /// `root` is borrowed. Waits up to kDead where a lock that was given proves nothing. nullptr: nothing can
  /// be locked here (read-only, say). Errors: busy, another server holds it, or beats.
  [[nodiscard]] static Result<std::shared_ptr<Claim>> take(int root);
  Claim(UniqueFd directory, UniqueFd lock, bool locked);
  ~Claim();  ///< gives it back
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  [[nodiscard]] const std::string& epoch() const noexcept { return epoch_; }
  /// False: the file system has no locks; the beat alone keeps others away.
  [[nodiscard]] bool locked() const noexcept { return locked_; }
  /// Moves the beat. Errc::lost when it is another's by now.
  [[nodiscard]] Result<void> beat();
  /// Before a change: Errc::lost when it is another's; looked at when the last look is older than 200 ms.
  [[nodiscard]] Result<void> check();
  /// Lets the lock go; every check() is Errc::lost from now on.
  void give_up() noexcept;

 private:
  [[nodiscard]] Result<void> look() SSYNC_REQUIRES(mutex_);
  [[nodiscard]] Result<void> write(bool held, bool durable) SSYNC_REQUIRES(mutex_);

  const UniqueFd directory_;
  UniqueFd lock_;
  const bool locked_;
  const std::string epoch_;

  Mutex mutex_;
  std::uint64_t beat_ SSYNC_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point looked_ SSYNC_GUARDED_BY(mutex_);
  std::optional<Error> lost_ SSYNC_GUARDED_BY(mutex_);
};

}  // namespace ssync::fs
