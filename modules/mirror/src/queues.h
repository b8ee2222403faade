// The queues between the parts of a sync, and what goes through them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/content/content_readers.h"
#include "ssync/mirror/options.h"
#include "ssync/mirror/sync_request.h"
#include "ssync/model/entry.h"
#include "ssync/model/tree_digest.h"
#include "ssync/session/server.h"
#include "ssync/transfer/receiver.h"

namespace ssync::mirror {

/// What other threads tell the decider.
struct ClientDigests {
  std::vector<wire::DigestRow> rows;
};
struct PlanAcknowledged {};
using InboxItem = std::variant<ClientDigests, content::ContentResult, PlanAcknowledged>;

/// Items of the list queue: the number lets the sender's window move on.
struct DirectoryBatch {
  std::vector<DirectorySum> rows;
  bool last = false;
};
struct ListBatch {
  std::uint64_t number = 0;
  std::variant<RowBatch, DirectoryBatch> batch;
};
/// Items of the mirror queue: consecutive blocks; nullopt ends the scan.
using MirrorItem = std::optional<Result<std::vector<ScanBlock>>>;

/// Something that this sync made right, or found right, for the sealer.
struct SealItem {
  PathView path() const noexcept { return {location, name}; }
  std::string location, name;
  Values wanted;
  std::string target;
  std::optional<Checksum> checksum;
  std::optional<Digest> digest;
  std::optional<Seen> seen;  ///< the last look was taken already
  RowId row = kNoRow;
  /// It was read while it changed, so its content proves nothing: it is left out of the digest, and the next
  /// sync asks for it before anything else.
  bool retry = false;
};
using SealBatch = std::vector<SealItem>;

struct Queues {
  explicit Queues(const Capacities& capacities)
      : list(capacities.list_batches),
        mirror(capacities.mirror_blocks),
        inbox(capacities.inbox),
        content_jobs(capacities.content_jobs),
        receive_events(capacities.receive_events),
        seal_items(capacities.seal_items),
        outputs(capacities.outputs) {}

  BoundedQueue<ListBatch> list;
  BoundedQueue<MirrorItem> mirror;
  BoundedQueue<InboxItem> inbox;
  BoundedQueue<content::ContentJob> content_jobs;
  BoundedQueue<transfer::ReceiveEvent> receive_events;
  BoundedQueue<SealBatch> seal_items;
  BoundedQueue<session::server::Output> outputs;

  /// Ends the sync early: whoever waits at one of them finds it closed.
  void close() noexcept {
    list.close();
    mirror.close();
    inbox.close();
    content_jobs.close();
    receive_events.close();
    outputs.close();
    seal_items.close();
  }
};

/// The Error of a thread that finds its queue closed.
inline Error stopped() {
  return Error{Errc::closed, "the sync was stopped"};
}

/// Pops, or Errc::closed.
template <typename T>
Result<T> take(BoundedQueue<T>& queue) {
  std::optional<T> item = queue.pop();
  if (!item) return tl::unexpected(stopped());
  return std::move(*item);
}

/// Pushes, or Errc::closed.
template <typename T>
Result<void> put(BoundedQueue<T>& queue, T item) {
  if (!queue.push(std::move(item))) return tl::unexpected(stopped());
  return {};
}

}  // namespace ssync::mirror
