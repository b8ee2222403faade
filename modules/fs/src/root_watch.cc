#include "root_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <thread>

#include <fmt/format.h>

#include "ssync/base/mutex.h"
#include "ssync/base/signals.h"

#include "c_name.h"
#include "lost.h"

namespace ssync::fs {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Result<void> ask_root(int root) {
  struct statx got {};
  if (::statx(root, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &got) != 0)
    return failed("reading the attributes of", ".", errno);
  struct statfs volume {};
  if (::fstatfs(root, &volume) != 0) return failed("asking for the file system", "", errno);
  return {};
}

struct RootWatch::State {
  State(UniqueFd fd, std::shared_ptr<Claim> held) : root(std::move(fd)), claim(std::move(held)) {}

  /// Ends when `stopping`.
  void run() {
    MutexLock lock(mutex);
    while (!stopping) {
      asked = Clock::now();
      lock_free([&] { return ask(); });
      asked.reset();
      changed.notify_all();
      const auto until = Clock::now() + Claim::kBeat;
      while (!stopping && changed.wait_until(mutex, until)) {
      }
    }
  }

  Result<void> ask() {
    SSYNC_TRY_VOID(ask_root(root.get()));
    return claim ? claim->beat() : Result<void>();
  }

  template <typename Ask>
  void lock_free(Ask what)
      SSYNC_NO_THREAD_SAFETY_ANALYSIS {  // unlocked for the call, locked before and after
    mutex.unlock();
    Result<void> answer = what();
    mutex.lock();
    trouble.reset();
    if (answer || (answer.error().code != Errc::lost && !may_be_lost(answer.error().sys_errno))) return;
    trouble = answer.error().code == Errc::lost ? answer.error() : context(answer.error(), kLostRemedy);
    trouble->code = Errc::lost;
  }

  const UniqueFd root;
  const std::shared_ptr<Claim> claim;
  Mutex mutex;
  CondVar changed;
  bool stopping SSYNC_GUARDED_BY(mutex) = false;
  std::optional<Clock::time_point> asked SSYNC_GUARDED_BY(mutex);  ///< and not yet answered
  std::optional<Error> trouble SSYNC_GUARDED_BY(mutex);
};

RootWatch::RootWatch(UniqueFd root, std::shared_ptr<Claim> claim)
    : state_(std::make_shared<State>(std::move(root), std::move(claim))) {
  const SignalsHeld held;  // the first root is opened before the program takes them
  // Not joined: the thread holds what it uses, and may never come back.
  std::thread([state = state_] { state->run(); }).detach();
}

RootWatch::~RootWatch() {
  const MutexLock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
}

std::optional<Error> RootWatch::trouble() const {
  const MutexLock lock(state_->mutex);
  if (state_->trouble) return state_->trouble;
  if (!state_->asked || Clock::now() - *state_->asked < kSilenceMax) return std::nullopt;
  return Error{Errc::lost, fmt::format("the file system does not answer for {} s", kSilenceMax.count()), 0};
}

}  // namespace ssync::fs
