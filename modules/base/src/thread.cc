#include "ssync/base/thread.h"

#include <pthread.h>

#include <deque>
#include <thread>
#include <utility>

#include "ssync/base/mutex.h"

namespace ssync {

struct Thread::Task {
  Mutex mutex;
  CondVar returned;
  bool done SSYNC_GUARDED_BY(mutex) = false;
  std::function<void()> work;  ///< the thread's, until it is done
};

/// The threads of the process that have nothing to do, and what is there for them to begin. It is never
/// destroyed, as they still wait here when the process ends.
class Thread::Idle {
 public:
  static Idle& instance() {
    static Idle& all = *new Idle;
    return all;
  }

  Idle() { static_cast<void>(::pthread_atfork(before_fork, after_fork, in_child)); }

  /// One of them takes it, or a new one.
  void run(std::shared_ptr<Task> task) SSYNC_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (free_ > 0) {
        begun_.push_back(std::move(task));
        --free_;
        begin_.notify_one();
        return;
      }
    }
    std::thread([this, first = std::move(task)]() mutable {
      for (std::shared_ptr<Task> next = std::move(first); next != nullptr; next = wait()) {
        finish(next);
        next.reset();
      }
    }).detach();
  }

 private:
  // A child of fork(2) has none of these threads, and nothing of what was meant for them. The lock is held
  // across the fork, which no scope shows.
  static void before_fork() SSYNC_NO_THREAD_SAFETY_ANALYSIS { instance().mutex_.lock(); }
  static void after_fork() SSYNC_NO_THREAD_SAFETY_ANALYSIS { instance().mutex_.unlock(); }
  static void in_child() SSYNC_NO_THREAD_SAFETY_ANALYSIS {
    instance().free_ = 0;
    instance().begun_.clear();
    instance().mutex_.unlock();
  }

  static void finish(const std::shared_ptr<Task>& task) {
    task->work();
    task->work = nullptr;
    MutexLock lock(task->mutex);
    task->done = true;
    task->returned.notify_all();
  }

  /// The next thing to do; null: there are enough that wait.
  std::shared_ptr<Task> wait() SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (free_ >= kIdleThreads) return nullptr;
    ++free_;
    while (begun_.empty())
      begin_.wait(mutex_);
    std::shared_ptr<Task> task = std::move(begun_.front());
    begun_.pop_front();
    return task;
  }

  Mutex mutex_;
  CondVar begin_;
  unsigned free_ SSYNC_GUARDED_BY(mutex_) = 0;  ///< threads that wait and that no task in begun_ is meant for
  std::deque<std::shared_ptr<Task>> begun_ SSYNC_GUARDED_BY(mutex_);
};

Thread::Thread(std::function<void()> work) : task_(std::make_shared<Task>()) {
  task_->work = std::move(work);
  Idle::instance().run(task_);
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this == &other) return *this;
  join();
  task_ = std::move(other.task_);
  return *this;
}

void Thread::join() noexcept {
  if (task_ == nullptr) return;
  {
    MutexLock lock(task_->mutex);
    while (!task_->done)
      task_->returned.wait(task_->mutex);
  }
  task_ = nullptr;
}

}  // namespace ssync
