// Carries out what was decided: changes what is on the mirror, asks the source for files, and counts, tells
// and seals what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ssync/model/change.h"
#include "ssync/model/tree_digest.h"
#include "ssync/store/applier.h"
#include "ssync/transfer/receiver.h"

#include "index_reader.h"
#include "outbox.h"
#include "sync_context.h"

namespace ssync::mirror {

/// Used by the decider's thread. Every call may wait for a queue, and ends with Errc::closed when the queues
/// are closed.
class Executor {
 public:
  Executor(SyncContext& context, transfer::Receiver& receiver, Outbox& outbox, SyncStats& stats,
           TreeDigest& digest);

  /// Changes in the planner's order. Where the sync only shows, they are told and nothing is done.
  [[nodiscard]] Result<void> act(std::vector<Change> changes);
  /// Handles what became of requested files; `wait`: at least one event.
  [[nodiscard]] Result<void> drain_events(bool wait);
  /// One path that failed costs that path, unless it failed because the whole mirror is gone.
  [[nodiscard]] Result<void> problem(Problem problem);
  /// Every requested file is published or failed, and staging is gone, before directories get their final
  /// times.
  [[nodiscard]] Result<void> finish_writes();
  /// What was made right goes to the sealer, also where it makes no whole batch.
  [[nodiscard]] Result<void> flush_seals();

  /// So few requested files are under way that more may be asked for early.
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool has_requested() const noexcept { return has_requested_; }
  /// A sync that only shows found a change.
  [[nodiscard]] bool differs() const noexcept { return differs_; }

 private:
  [[nodiscard]] Result<void> apply(const Change& change);
  [[nodiscard]] Result<void> name_copies();
  [[nodiscard]] Result<void> take_ended();
  [[nodiscard]] Result<void> conclude(const Change& change, const store::Applied& done);
  [[nodiscard]] std::optional<SealItem> carried_over(const Change& change);
  [[nodiscard]] Result<void> applied(const Change& change);
  [[nodiscard]] Result<void> request(Change change);
  [[nodiscard]] Result<void> request_instead(const Change& change);
  [[nodiscard]] Result<void> flush_requests();
  [[nodiscard]] Result<void> say_requests();
  [[nodiscard]] Result<void> retry_first(const Change& change);
  [[nodiscard]] Result<void> handle(transfer::ReceiveEvent event);
  [[nodiscard]] Result<void> published(transfer::PublishedFile file);
  [[nodiscard]] Result<void> seal(SealItem item);

  SyncContext& context_;
  transfer::Receiver& receiver_;
  Outbox& outbox_;
  SyncStats& stats_;
  TreeDigest& digest_;
  store::Applier applier_;
  IndexReader records_;

  bool differs_ = false;
  std::unordered_set<std::string> not_made_;  ///< directories that could not be made
  bool is_moved_whole_ = true;                ///< no directory that was to be moved failed to be
  bool has_requested_ = false;
  std::vector<wire::RequestRow> request_rows_;
  std::uint64_t request_bytes_ = 0;
  MessageRoom request_room_;
  SealBatch seals_;
};

}  // namespace ssync::mirror
