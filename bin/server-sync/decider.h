// The thread that decides and acts: steps the planner, asks what it needs to know, carries out changes,
// requests files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "ssync/fs/staging.h"
#include "ssync/transfer/applier.h"
#include "ssync/transfer/content_readers.h"
#include "ssync/transfer/receiver.h"

#include "report.h"
#include "sealer.h"
#include "sync_parts.h"

namespace ssync::server_program {

/// What others put in for the decider.
struct ClientDigests {
  std::vector<wire::DigestRow> rows;
};
struct PlanAcknowledged {};
using InboxItem = std::variant<ClientDigests, transfer::ContentResult, PlanAcknowledged>;

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

/// The queues around it, all owned by MirrorSync.
struct DeciderQueues {
  BoundedQueue<ListBatch>& list;
  BoundedQueue<MirrorItem>& mirror;
  BoundedQueue<InboxItem>& inbox;
  BoundedQueue<transfer::ContentJob>& content_jobs;
  BoundedQueue<transfer::ReceiveEvent>& receive_events;
  BoundedQueue<SealBatch>& seal_items;
  BoundedQueue<session::server::Output>& outputs;
};

/// One run, in the caller's thread; ends early (Errc::closed) when its queues are closed.
class Decider {
 public:
  Decider(fs::Tree& tree, fs::Staging& staging, SharedIndex& index, const SyncRequest& request,
          const Capacities& capacities, DeciderQueues queues, transfer::Receiver& receiver, Report& report,
          SharedProgress& progress, std::function<void(std::uint64_t)> list_taken,
          std::function<void(std::uint64_t)> credit_returned, TreeDigest& digest,
          std::function<Result<void>()> finish_index);
  ~Decider();
  /// Until sync:done (or an error reply) is in `outputs`.
  [[nodiscard]] Result<void> run();

 private:
  using Output = session::server::Output;

  // deciding
  [[nodiscard]] Result<void> decide();
  [[nodiscard]] Result<void> take_source();
  [[nodiscard]] Result<ListBatch> next_list();
  [[nodiscard]] Result<bool> act_early();
  [[nodiscard]] Result<void> take_mirror();
  [[nodiscard]] Result<void> ask_listings();
  [[nodiscard]] Result<void> ask();
  [[nodiscard]] Result<void> ask_source();
  [[nodiscard]] Result<void> take_answer();
  void answer_known(const planner::Query& query);
  [[nodiscard]] std::optional<index::Record> recorded(PathView path);
  [[nodiscard]] Result<bool> show_plan();

  // acting
  [[nodiscard]] Result<void> act(std::vector<Change> changes);
  [[nodiscard]] Result<void> apply(const Change& change);
  [[nodiscard]] std::optional<SealItem> carried_over(const Change& change);
  [[nodiscard]] Result<void> applied(const Change& change);
  [[nodiscard]] Result<void> request(Change change);
  [[nodiscard]] Result<void> request_instead(const Change& change);
  [[nodiscard]] Result<void> flush_requests();
  [[nodiscard]] Result<void> drain_events(bool wait);
  [[nodiscard]] Result<void> handle(transfer::ReceiveEvent event);
  [[nodiscard]] Result<void> published(transfer::PublishedFile file);
  [[nodiscard]] Result<void> finish_writes();
  [[nodiscard]] Result<void> conclude();

  // telling
  [[nodiscard]] Result<void> say(Output output);
  [[nodiscard]] Result<void> tell_change(const Change& change);
  [[nodiscard]] Result<void> flush_changes();
  [[nodiscard]] Result<void> problem(Problem problem);
  [[nodiscard]] Result<void> flush_problems();
  [[nodiscard]] static SealItem seal_item(const Change& change, PathView path, const Values& wanted,
                                          RowId row, const std::optional<Checksum>& checksum,
                                          const std::optional<Digest>& digest);
  [[nodiscard]] Result<void> seal(SealItem item);
  [[nodiscard]] Result<void> flush_seals();

  fs::Tree& tree_;
  fs::Staging& staging_;
  SharedIndex& index_;
  const SyncRequest& request_;
  const Capacities& capacities_;
  DeciderQueues queues_;
  transfer::Receiver& receiver_;
  transfer::Applier applier_;
  Report& report_;
  SharedProgress& progress_;
  std::function<void(std::uint64_t)> list_taken_;
  std::function<void(std::uint64_t)> credit_returned_;
  TreeDigest& digest_;
  std::function<Result<void>()> finish_index_;
  std::unique_ptr<planner::Planner> planner_;

  SyncStats stats_;
  bool only_show_ = false;  ///< dry run, verify: nothing is changed
  bool differs_ = false;    ///< in a dry run: something would have been changed
  std::unordered_map<std::uint64_t, planner::Query> open_mirror_;      ///< by query id
  std::unordered_map<RowId, std::vector<std::uint64_t>> open_source_;  ///< row -> query ids
  std::vector<planner::Query> to_ask_;  ///< source queries not yet sent; front is next_to_ask_
  std::size_t next_to_ask_ = 0;
  /// Where recorded() was asked last: who asks in order is answered from one cursor.
  std::string recorded_location_, recorded_name_;
  std::optional<index::Index::Cursor> recorded_cursor_;
  std::unordered_set<std::string> not_made_;  ///< directories that could not be made
  bool is_moved_whole_ = true;                ///< every directory that was to move did
  bool has_requested_ = false;
  std::vector<wire::RequestRow> request_rows_;
  std::uint64_t request_bytes_ = 0;
  std::size_t request_weight_ = 0;
  std::vector<wire::ChangeRow> change_rows_;
  std::size_t change_weight_ = 0;
  SealBatch seals_;
  std::vector<Problem> problem_rows_;
  std::size_t problem_weight_ = 0;
};

}  // namespace ssync::server_program
