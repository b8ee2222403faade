#pragma once

#include <functional>
#include <memory>

namespace ssync {

/// A thread that is joined by its destructor, as std::jthread is. The system's thread stays when the function
/// returns, for the next Thread of this process: each sync begins some ten of them, and making and ending one
/// costs a stack that is mapped, touched and unmapped again, while every other thread of the process waits
/// for the page tables.
///
/// So what a function leaves behind in its thread (thread_local values, a name, a priority) is there for the
/// next: it must leave nothing. At most kIdleThreads wait for work; more end.
///
/// Thread safety: a handle is used by one thread at a time.
class Thread {
 public:
  static constexpr unsigned kIdleThreads = 64;

  /// No thread.
  Thread() noexcept = default;
  /// Runs `work`, which must not throw, and is destroyed before join() returns. Throws std::system_error when
  /// the system gives no thread, std::bad_alloc.
  explicit Thread(std::function<void()> work);
  Thread(Thread&&) noexcept = default;
  /// Joins the one that is replaced.
  Thread& operator=(Thread&& other) noexcept;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() { join(); }

  [[nodiscard]] bool joinable() const noexcept { return task_ != nullptr; }
  /// Waits until the function has returned; at once when there is none.
  void join() noexcept;

 private:
  struct Task;
  class Idle;

  std::shared_ptr<Task> task_;
};

}  // namespace ssync
