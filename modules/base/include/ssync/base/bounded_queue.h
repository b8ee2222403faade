#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "ssync/base/assert.h"
#include "ssync/base/mutex.h"

namespace ssync {

enum class PushResult : std::uint8_t { pushed, full, closed };

/// FIFO of at most `capacity` items between two threads; a full queue blocks the producer (backpressure).
/// Thread safety: any thread. Owns items until popped. Shutdown: close() is final; push() then fails, pop()
/// drains first. Outlives every thread that uses it. Source: contract after BDE bdlcc::BoundedQueue.
template <typename T>
class BoundedQueue {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Requires: capacity > 0. Unit: items, not bytes.
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { SSYNC_ASSERT(capacity > 0); }
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  /// For a consumer that polls descriptors instead of blocking in pop(): `wake` is called, outside the lock,
  /// by the pushing thread after every item, and by the closing thread after close(). Typically signals an
  /// EventFd. It must not throw or block and may run in several threads at once. Set before the queue is in
  /// use.
  void on_item(std::function<void()> wake) { on_item_ = std::move(wake); }
  /// For a producer that polls: `wake` is called likewise by the popping thread when a queue that was full
  /// is down to half of its capacity, and after close(): waking for every item would cost more than the item.
  /// So after a wake-up, push until full before polling again.
  void on_space(std::function<void()> wake) { on_space_ = std::move(wake); }

  /// Blocks while full. False, and the item is dropped, once closed (also if closed while waiting).
  [[nodiscard]] bool push(T item) SSYNC_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      while (items_.size() >= capacity_ && !closed_)
        not_full_.wait(mutex_);
      if (closed_) return false;
      put_back(std::move(item));
    }
    announce_item();
    return true;
  }

  /// Never blocks. Moves from `item` only when the result is `pushed`; else the caller still has it.
  [[nodiscard]] PushResult try_push(T& item) SSYNC_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closed_) return PushResult::closed;
      if (items_.size() >= capacity_) return PushResult::full;
      put_back(std::move(item));
    }
    announce_item();
    return PushResult::pushed;
  }

  /// Blocks while empty. nullopt means closed and drained, nothing else.
  [[nodiscard]] std::optional<T> pop() SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_)
      not_empty_.wait(mutex_);
    bool room = false;
    std::optional<T> item = take_front(room);
    lock.unlock();
    if (item) announce_space(room);
    return item;
  }

  /// Never blocks. nullopt: nothing there now; finished() tells whether anything can still come.
  [[nodiscard]] std::optional<T> try_pop() SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    bool room = false;
    std::optional<T> item = take_front(room);
    lock.unlock();
    if (item) announce_space(room);
    return item;
  }

  /// Blocks while empty, until `deadline` at most. nullopt: the deadline has passed, or closed and drained;
  /// finished() tells which.
  [[nodiscard]] std::optional<T> pop_until(Deadline deadline) SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      if (!not_empty_.wait_until(mutex_, deadline)) break;
    }
    bool room = false;
    std::optional<T> item = take_front(room);
    lock.unlock();
    if (item) announce_space(room);
    return item;
  }

  /// Wakes every waiter. May be called twice.
  void close() noexcept SSYNC_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    not_empty_.notify_all();
    not_full_.notify_all();
    if (on_item_) on_item_();
    if (on_space_) on_space_();
  }

  /// Pushing is over; items may be left.
  [[nodiscard]] bool closed() const SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return closed_;
  }
  /// Closed and drained; stays true.
  [[nodiscard]] bool finished() const SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return closed_ && items_.empty();
  }
  [[nodiscard]] std::size_t size() const SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  void put_back(T&& item) SSYNC_REQUIRES(mutex_) {
    items_.push_back(std::move(item));
    if (items_.size() >= capacity_) was_full_ = true;
  }
  /// Sets `room` when a producer that polls has to be woken: the queue was full, and is half empty now.
  std::optional<T> take_front(bool& room) SSYNC_REQUIRES(mutex_) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    room = was_full_ && items_.size() <= capacity_ / 2;
    if (room) was_full_ = false;
    return item;
  }
  void announce_item() {
    not_empty_.notify_one();
    if (on_item_) on_item_();
  }
  void announce_space(bool room) {
    not_full_.notify_one();
    if (room && on_space_) on_space_();
  }

  // Fixed after construction (callbacks: before use).
  const std::size_t capacity_;
  std::function<void()> on_item_;
  std::function<void()> on_space_;

  // Own locking.
  mutable Mutex mutex_;
  CondVar not_empty_;
  CondVar not_full_;

  std::deque<T> items_ SSYNC_GUARDED_BY(mutex_);
  bool was_full_ SSYNC_GUARDED_BY(mutex_) = false;  ///< it was full, and on_space was not called since
  bool closed_ SSYNC_GUARDED_BY(mutex_) = false;
};

}  // namespace ssync
