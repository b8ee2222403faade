// The planner's questions about contents: who is asked, how many at a time, and what the answers teach the
// index.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ssync/planner/planner.h"

#include "index_reader.h"
#include "outbox.h"
#include "sync_context.h"

namespace ssync::mirror {

/// Thread safety: one thread. Errors: Errc::closed when the sync was stopped; Errc::protocol for answers that
/// nobody asked for.
class Questions {
 public:
  /// Borrows everything.
  Questions(SyncContext& context, planner::Planner& planner, Outbox& outbox);

  /// What the planner asks: answered from the index, or put to this end's readers or the client.
  [[nodiscard]] Result<void> ask();
  /// Waits for one answer, or several that come together, and gives them to the planner.
  [[nodiscard]] Result<void> take_answer();

 private:
  void answer_known(const planner::Query& query);
  [[nodiscard]] Result<void> ask_mirror(const planner::Query& query);
  [[nodiscard]] bool holds_back() const;
  [[nodiscard]] Result<void> ask_source();
  [[nodiscard]] Result<void> take();
  [[nodiscard]] Result<void> take(const InboxItem& item);
  [[nodiscard]] Result<void> take(const content::ContentResult& result);
  [[nodiscard]] Result<void> take(const ClientDigests& digests);
  [[nodiscard]] Result<void> learn(const planner::Query& query, const content::Content& content);

  SyncContext& context_;
  planner::Planner& planner_;
  Outbox& outbox_;
  IndexReader records_;

  std::unordered_map<std::uint64_t, planner::Query> open_mirror_;      ///< by query id
  std::unordered_map<RowId, std::vector<std::uint64_t>> open_source_;  ///< row -> query ids
  std::vector<planner::Query> to_ask_;  ///< source queries not yet sent; front is next_to_ask_
  std::size_t next_to_ask_ = 0;
  std::optional<std::chrono::steady_clock::time_point>
      held_since_;  ///< since when a few questions are held back, so that more go in one message
};

}  // namespace ssync::mirror
