#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "ssync/base/bounded_queue.h"

namespace ssync {

/// The producing end of a BoundedQueue for a thread that owns sockets and must never block: what the queue
/// does not take now waits here and is offered again by flush(). It has no bound of its own: the caller puts
/// in only what a window or credit of the protocol bounds. Thread safety: the producing thread only. The
/// queue must outlive it.
template <typename T>
class OverflowQueue {
 public:
  explicit OverflowQueue(BoundedQueue<T>& queue) : queue_(queue) {}

  void put(T item) {
    if (waiting_.empty() && queue_.try_push(item) != PushResult::full)
      return;  // a closed queue drops: its consumer has ended
    waiting_.push_back(std::move(item));
  }
  /// Call when the queue may have room (its on_space callback). False: something is still waiting.
  bool flush() {
    while (!waiting_.empty()) {
      if (queue_.try_push(waiting_.front()) == PushResult::full) return false;
      waiting_.pop_front();
    }
    return true;
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  BoundedQueue<T>& queue_;
  std::deque<T> waiting_;
};

}  // namespace ssync
