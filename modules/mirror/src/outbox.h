// What the decider says to the client: rows one by one go in messages that are well filled.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "sync_context.h"

namespace ssync::mirror {

/// How full a message of rows is.
class MessageRoom {
 public:
  /// Adds the size of a row with these strings. True: it did not fit any more. Then the message so far has to
  /// be said first, and the row counts as the first one of the next.
  [[nodiscard]] bool next(std::initializer_list<std::string_view> strings) noexcept;
  /// The message was said.
  void clear() noexcept { rows_ = bytes_ = 0; }

 private:
  std::size_t rows_ = 0, bytes_ = 0;
};

/// Thread safety: one thread. Every function blocks while the queue is full; Errc::closed when the sync was
/// stopped.
class Outbox {
 public:
  /// `stats`: where problems are counted.
  Outbox(SyncContext& context, SyncStats& stats) : context_(context), stats_(stats) {}

  [[nodiscard]] Result<void> say(session::server::Output output);
  /// Tells the client, if it asked for changes.
  [[nodiscard]] Result<void> change(const Change& change);
  /// Reports and counts it, and tells the client.
  [[nodiscard]] Result<void> problem(Problem problem);
  /// Says the changes and problems that were not said yet.
  [[nodiscard]] Result<void> flush();

 private:
  [[nodiscard]] Result<void> flush_changes();
  [[nodiscard]] Result<void> flush_problems();

  SyncContext& context_;
  SyncStats& stats_;
  std::vector<wire::ChangeRow> changes_;
  MessageRoom changes_room_;
  std::vector<Problem> problems_;
  MessageRoom problems_room_;
};

}  // namespace ssync::mirror
