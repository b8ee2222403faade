// The thread that decides: steps the planner with what both ends have, and hands on what comes out.
#pragma once

#include <functional>

#include "ssync/model/tree_digest.h"
#include "ssync/planner/planner.h"
#include "ssync/transfer/receiver.h"

#include "executor.h"
#include "outbox.h"
#include "own_names.h"
#include "questions.h"
#include "quota.h"
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
  [[nodiscard]] Result<void> decide();
  [[nodiscard]] Result<void> take_source();
  [[nodiscard]] Result<ListBatch> next_list();
  [[nodiscard]] Result<bool> act_early();
  [[nodiscard]] Result<void> take_mirror();
  [[nodiscard]] Result<void> ask_directories();
  [[nodiscard]] Result<bool> show_plan();
  [[nodiscard]] Result<void> end();

  SyncContext& context_;
  std::function<Result<Sealed>()> finish_;
  SyncStats stats_;
  TreeDigest digest_;
  OwnNames own_names_;
  Quota quota_;
  planner::Planner planner_;
  Outbox outbox_;
  Questions questions_;
  Executor executor_;
  transfer::Receiver& receiver_;
};

}  // namespace ssync::mirror
