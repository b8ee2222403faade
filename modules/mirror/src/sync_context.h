// What the parts of one sync share. It outlives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "ssync/base/event_fd.h"
#include "ssync/base/mutex.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/mirror/observer.h"
#include "ssync/mirror/options.h"
#include "ssync/mirror/sync.h"
#include "ssync/mirror/sync_request.h"

#include "queues.h"

namespace ssync::mirror {

/// The index is used by several parts of a sync, one at a time.
class SharedIndex {
 public:
  explicit SharedIndex(index::Index& index) : index_(index) {}
  template <typename F>
  auto with(F&& use) {
    MutexLock lock(mutex_);
    return use(index_);
  }

 private:
  Mutex mutex_;
  index::Index& index_;
};

/// Progress that other threads may read at any time.
struct SharedProgress {
  std::atomic<wire::Wait::Reason> reason{wire::Wait::Reason::scanning};
  std::atomic<std::uint64_t> done{0}, total{0};
  void now(wire::Wait::Reason what, std::uint64_t of = 0) {
    done.store(0, std::memory_order_relaxed);
    total.store(of, std::memory_order_relaxed);
    reason.store(what, std::memory_order_relaxed);
  }
};

/// What the sync has used up and the client may send again: list messages and credit. Told to the thread that
/// owns the sockets, which is woken.
class Returned {
 public:
  explicit Returned(EventFd& wake) : wake_(wake) {}
  void list_message(std::uint64_t number) {
    list_messages_.store(number + 1, std::memory_order_release);
    wake_.signal();
  }
  void credit(std::uint64_t bytes) {
    credit_.fetch_add(bytes, std::memory_order_acq_rel);
    wake_.signal();
  }
  /// How many list messages were taken so far.
  [[nodiscard]] std::uint64_t list_messages() const noexcept {
    return list_messages_.load(std::memory_order_acquire);
  }
  /// Since the last call.
  [[nodiscard]] std::uint64_t take_credit() noexcept {
    return credit_.exchange(0, std::memory_order_acq_rel);
  }

 private:
  EventFd& wake_;
  std::atomic<std::uint64_t> list_messages_{0}, credit_{0};
};

struct SyncContext {
  SyncContext(const Parts& parts, SyncRequest what, const Capacities& sizes, EventFd& wake, Observer& told)
      : tree(parts.tree),
        staging(parts.staging),
        index(parts.index),
        request(std::move(what)),
        capacities(sizes),
        observer(told),
        queues(sizes),
        returned(wake) {}

  fs::Tree& tree;
  fs::Staging& staging;
  SharedIndex index;
  const SyncRequest request;
  const Capacities capacities;
  Observer& observer;
  Queues queues;
  Returned returned;
  SharedProgress progress;
};

}  // namespace ssync::mirror
