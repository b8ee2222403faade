#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ssync/base/mutex.h"
#include "ssync/base/thread.h"

namespace ssync {

/// How often the calling thread gave up the processor so far because it had to wait. Source: getrusage(2),
/// ru_nvcsw. Cost: a system call without a lock.
[[nodiscard]] std::uint64_t voluntary_switches() noexcept;

/// Counts how often a thread has to wait (for a disk, a network) during its pieces of work. It looks at one
/// piece in four: asking the system before and after every piece took 1 % of a scan in memory, and more where
/// a piece is one small file. Thread safety: one thread.
class WaitProbe {
 public:
  static constexpr std::uint64_t kPiecesPerLook = 4;
  /// A piece of work begins.
  void begin() noexcept;
  /// The piece is done: how often the thread waited during it. nullopt: this piece was not looked at.
  [[nodiscard]] std::optional<std::uint64_t> end() const noexcept;

 private:
  std::uint64_t pieces_ = 0;
  std::optional<std::uint64_t> before_;
};

/// Threads that all do the same; and more of them as long as what they do is mostly waiting (for a cold disk,
/// a network): then one more thread is one more request under way. Thread safety: any thread, but for
/// start(), join() and the destructor, which are the owner's.
class Workers {
 public:
  struct Options {
    unsigned threads = 1;          ///< to begin with, at least 1
    unsigned threads_waiting = 1;  ///< at most so many when they wait
    std::uint64_t judged = 8;      ///< whether to add a thread is decided once in so many calls of waited()
  };
  static constexpr unsigned kThreadsMax = 64;

  /// Neither may throw. Each thread calls `work` once. `ended`, if any, is called once, when all have
  /// returned from it.
  Workers(Options options, std::function<void()> work, std::function<void()> ended = {});
  /// Joins: whoever owns what `work` waits for has closed it.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Starts the threads. When only some of them can be started, those do the work. Throws std::system_error
  /// when not even one can be started.
  void start() SSYNC_EXCLUDES(mutex_);
  /// To be called from within `work`: one piece of it waited so often (see WaitProbe). May add a thread.
  void waited(std::uint64_t switches) SSYNC_EXCLUDES(mutex_);
  /// No thread is added any more, and all have ended.
  void join() SSYNC_EXCLUDES(mutex_);

 private:
  /// Starts one more thread, unless there are `most` already. Throws std::system_error.
  void add(unsigned most) SSYNC_EXCLUDES(mutex_);
  void run();
  void one_ended();

  // Fixed after construction.
  const unsigned count_, most_;
  const std::uint64_t judged_;
  const std::function<void()> work_, ended_;

  // Own locking.
  std::atomic<std::uint64_t> pieces_{0}, waits_{0};  ///< since that was decided last
  std::atomic<unsigned> running_{0};  ///< threads that have not ended, and one more while start() runs

  Mutex mutex_;
  bool joining_ SSYNC_GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_ SSYNC_GUARDED_BY(mutex_);  ///< end with `work`
};

}  // namespace ssync
