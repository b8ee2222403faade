// The queues between the decider and the rest of a sync, and what goes through them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ssync/content/content_readers.h"
#include "ssync/transfer/receiver.h"

#include "sealer.h"
#include "sync_parts.h"

namespace ssync::server_program {

/// What others put in for the decider.
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

/// All owned by MirrorSync, which closes them to end a sync early.
struct DeciderQueues {
  BoundedQueue<ListBatch>& list;
  BoundedQueue<MirrorItem>& mirror;
  BoundedQueue<InboxItem>& inbox;
  BoundedQueue<content::ContentJob>& content_jobs;
  BoundedQueue<transfer::ReceiveEvent>& receive_events;
  BoundedQueue<SealBatch>& seal_items;
  BoundedQueue<session::server::Output>& outputs;
};

/// The outcome of whoever finds a queue closed.
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

}  // namespace ssync::server_program
