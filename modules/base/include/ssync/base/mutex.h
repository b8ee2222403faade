#pragma once

// A mutex that clang's thread-safety analysis understands (a bare std::mutex it does not). GCC ignores the
// annotations. Source: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SSYNC_THREAD_ANNOTATION_(x) __attribute__((x))
#else
#define SSYNC_THREAD_ANNOTATION_(x)
#endif

/// On a member: read and written only with the mutex held.
#define SSYNC_GUARDED_BY(mutex) SSYNC_THREAD_ANNOTATION_(guarded_by(mutex))
/// On a pointer member: what it points to is guarded, the pointer itself is not.
#define SSYNC_PT_GUARDED_BY(mutex) SSYNC_THREAD_ANNOTATION_(pt_guarded_by(mutex))
/// On a function: the caller holds the mutex.
#define SSYNC_REQUIRES(...) SSYNC_THREAD_ANNOTATION_(requires_capability(__VA_ARGS__))
/// On a function: the caller must not hold the mutex.
#define SSYNC_EXCLUDES(...) SSYNC_THREAD_ANNOTATION_(locks_excluded(__VA_ARGS__))
#define SSYNC_ACQUIRE(...) SSYNC_THREAD_ANNOTATION_(acquire_capability(__VA_ARGS__))
#define SSYNC_RELEASE(...) SSYNC_THREAD_ANNOTATION_(release_capability(__VA_ARGS__))
#define SSYNC_CAPABILITY(name) SSYNC_THREAD_ANNOTATION_(capability(name))
#define SSYNC_SCOPED_CAPABILITY SSYNC_THREAD_ANNOTATION_(scoped_lockable)
/// On a function the analysis cannot follow; a comment beside it says why it is right.
#define SSYNC_NO_THREAD_SAFETY_ANALYSIS SSYNC_THREAD_ANNOTATION_(no_thread_safety_analysis)

namespace ssync {

/// Not recursive. Thread safety: any thread.
class SSYNC_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() SSYNC_ACQUIRE() { mutex_.lock(); }
  void unlock() SSYNC_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

/// Holds a Mutex for a scope, or until unlock().
class SSYNC_SCOPED_CAPABILITY [[nodiscard]] MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SSYNC_ACQUIRE(mutex) : mutex_(&mutex) { mutex_->lock(); }
  ~MutexLock() SSYNC_RELEASE() {
    if (mutex_ != nullptr) mutex_->unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  /// Early; at most once.
  void unlock() SSYNC_RELEASE() {
    mutex_->unlock();
    mutex_ = nullptr;
  }

 private:
  Mutex* mutex_;
};

/// Condition variable for a Mutex. Waits may return for no reason, so they stand in a loop, which is also the
/// form the analysis can follow (it does not see into a predicate's lambda):
///
///   MutexLock lock(mutex_);
///   while (items_.empty() && !closed_) not_empty_.wait(mutex_);
class CondVar {
 public:
  /// Unlocks, sleeps until notified, locks again.
  void wait(Mutex& mutex) SSYNC_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();  // NOLINT(bugprone-unused-return-value): the caller's MutexLock goes on owning it
  }

  /// The same with a deadline; false once the deadline has passed.
  [[nodiscard]] bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      SSYNC_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, deadline);
    lock.release();  // NOLINT(bugprone-unused-return-value): the caller's MutexLock goes on owning it
    return status == std::cv_status::no_timeout;
  }

  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace ssync
