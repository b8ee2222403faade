// One sync on the server: the mirror's scan, the decider, readers, receiver and sealer, connected by bounded
// queues.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "ssync/base/event_fd.h"
#include "ssync/base/overflow_queue.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/scanner/scanner.h"
#include "ssync/session/server.h"

#include "decider.h"
#include "report.h"
#include "sync_parts.h"

namespace ssync::server_program {

/// Used by the thread that owns the sockets; nothing in it blocks that thread but the destructor. Everything
/// that there is to look at after `wake` was signalled is in the poll functions.
///
/// Threads: scan (ends with the tree or stop()), decider (ends after sync:done, an error, or when its queues
/// close), content readers, the receiver's, the sealer's. Shutdown: stop() closes the queues downstream; the
/// destructor joins.
class MirrorSync {
 public:
  MirrorSync(fs::Tree& tree, fs::Staging& staging, index::Index& index, index::Header header_after,
             SyncRequest request, Capacities capacities, EventFd& wake, Report& report);
  ~MirrorSync();
  MirrorSync(const MirrorSync&) = delete;
  MirrorSync& operator=(const MirrorSync&) = delete;

  void start();
  void list(ListBatch batch);
  void digests(std::vector<wire::DigestRow> rows);
  void file_failed(const wire::Fail& failure);
  void plan_acknowledged();
  [[nodiscard]] Result<void> data(wire::DataHead head, Buffer payload);

  /// Filelist messages taken so far; the next unannounced number.
  [[nodiscard]] std::uint64_t list_taken() const noexcept {
    return list_taken_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t take_credit() noexcept {
    return credit_.exchange(0, std::memory_order_acq_rel);
  }
  [[nodiscard]] std::optional<session::server::Output> poll_output() { return outputs_.try_pop(); }
  /// Offers again what queues did not take.
  void flush();
  [[nodiscard]] session::server::Progress progress() const;
  /// Gives up soon; safe at any time.
  void stop() noexcept;

 private:
  void scan();
  void decide();
  void report_end(Error error);
  void remove_leftovers();
  [[nodiscard]] Result<void> keep_record();
  [[nodiscard]] Result<void> finish_index();

  fs::Tree& tree_;
  fs::Staging& staging_;
  index::Index& plain_index_;
  SharedIndex index_;
  index::Header header_after_;
  const SyncRequest request_;
  const Capacities capacities_;
  EventFd& wake_;
  Report& report_;

  BoundedQueue<ListBatch> list_;
  BoundedQueue<MirrorItem> mirror_;
  BoundedQueue<InboxItem> inbox_;
  BoundedQueue<content::ContentJob> content_jobs_;
  BoundedQueue<transfer::ReceiveEvent> receive_events_;
  BoundedQueue<SealBatch> seal_items_;
  BoundedQueue<session::server::Output> outputs_;
  OverflowQueue<ListBatch> list_in_;
  OverflowQueue<InboxItem> inbox_in_;

  std::atomic<std::uint64_t> list_taken_{0};
  std::atomic<std::uint64_t> credit_{0};
  std::atomic<bool> stopped_{false};
  SharedProgress progress_;
  TreeDigest digest_;

  std::unique_ptr<scanner::Scanner> scanner_;
  std::unique_ptr<content::ContentReaders> readers_;
  std::unique_ptr<transfer::Receiver> receiver_;
  std::unique_ptr<Sealer> sealer_;
  std::jthread scan_thread_;
  std::jthread decider_thread_;
};

}  // namespace ssync::server_program
