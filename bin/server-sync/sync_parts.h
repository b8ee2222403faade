// What the parts of one sync share.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/event_fd.h"
#include "ssync/base/mutex.h"
#include "ssync/fs/mirror_record.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/model/entry.h"
#include "ssync/planner/planner.h"
#include "ssync/session/server.h"
#include "ssync/wire/messages.h"

namespace ssync::server_program {

/// What this sync is to do.
struct SyncRequest {
  wire::SyncOptions options;
  Attributes attributes;
  std::optional<std::uint64_t> server_max_delete;
  bool durable = true;
  bool synced_before = false;
  std::vector<std::string> leave_out;         ///< see scanner::Options
  std::optional<fs::DirectoryId> other_root;  ///< likewise
  /// Of the root's lock, where others can reach the mirror: whose it is must stand with it. Else empty.
  std::string epoch;
  bool has_lock = false;                   ///< nobody else stages here
  std::optional<fs::MirrorRecord> record;  ///< what stands there

  /// Nothing is changed.
  [[nodiscard]] bool only_shows() const { return options.dry_run || options.verify; }
};

/// Sizes of what is between the stages. A test runs everything with 1 of each.
struct Capacities {
  std::size_t list_batches = wire::kListWindow;
  std::size_t mirror_blocks = 8;  ///< batches
  std::size_t inbox = 4096;
  std::size_t outputs = 8;
  std::size_t content_jobs = 256;
  std::size_t receive_events = 4096;
  std::size_t seal_items = 64;        ///< batches
  std::size_t open_requests = 8192;   ///< files requested and not yet published
  std::size_t open_questions = 8192;  ///< source files whose content was asked for
};

/// The index is used by several stages of a sync, one at a time.
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

}  // namespace ssync::server_program
