// The thread that decides and acts: steps the planner, carries out changes, requests files.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ssync/store/applier.h"
#include "ssync/store/probe.h"

#include "index_reader.h"
#include "outbox.h"
#include "questions.h"
#include "sealer.h"
#include "sync_context.h"

namespace ssync::mirror {

/// One run, in the caller's thread; ends early (Errc::closed) when its queues are closed.
class Decider {
 public:
  /// `finish` is called after the last change: it ends the sealer, completes the index, and returns what the
  /// sealer found.
  Decider(SyncContext& context, transfer::Receiver& receiver, std::function<Result<Sealed>()> finish);
  ~Decider();
  /// Runs until sync:done (or an error reply) is in `outputs`.
  [[nodiscard]] Result<void> run();

 private:
  // deciding
  [[nodiscard]] Result<void> decide();
  [[nodiscard]] Result<void> take_source();
  [[nodiscard]] Result<ListBatch> next_list();
  [[nodiscard]] Result<bool> act_early();
  [[nodiscard]] Result<void> take_mirror();
  [[nodiscard]] Result<void> ask_listings();
  [[nodiscard]] Result<bool> show_plan();

  // acting
  [[nodiscard]] Result<void> act(std::vector<Change> changes);
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
  Result<void> retry_first(const Change& change);
  [[nodiscard]] Result<void> drain_events(bool wait);
  [[nodiscard]] Result<void> handle(transfer::ReceiveEvent event);
  [[nodiscard]] Result<void> published(transfer::PublishedFile file);
  [[nodiscard]] Result<void> problem(Problem problem);
  [[nodiscard]] Result<void> finish_writes();
  [[nodiscard]] Result<void> end();
  [[nodiscard]] Result<void> seal(SealItem item);
  [[nodiscard]] Result<void> flush_seals();

  SyncContext& context_;
  transfer::Receiver& receiver_;
  std::function<Result<Sealed>()> finish_;
  store::Applier applier_;
  SyncStats stats_;
  TreeDigest digest_;
  planner::Planner planner_;
  Outbox outbox_;
  Questions questions_;
  IndexReader records_;

  bool differs_ = false;  ///< the mirror is not equal to the source (a dry run or --verify found a change)
  std::unordered_set<std::string> not_made_;  ///< directories that could not be made
  bool is_moved_whole_ = true;                ///< no directory that was to be moved failed to be
  bool has_requested_ = false;
  std::vector<wire::RequestRow> request_rows_;
  std::uint64_t request_bytes_ = 0;
  MessageRoom request_room_;
  SealBatch seals_;
};

}  // namespace ssync::mirror
