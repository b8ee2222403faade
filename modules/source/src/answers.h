// What the server asks about the contents of files.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/content/content_readers.h"
#include "ssync/fs/tree.h"
#include "ssync/source/source.h"
#include "ssync/wire/messages.h"

#include "listing.h"

namespace ssync::source {

/// Has the files read by content readers, which begin with the first question, and makes the answers ready in
/// batches. One thread.
class Answers {
 public:
  /// Answers wait so long for others at most. Nobody is woken for a few results: whoever has open() looks
  /// this often.
  static constexpr auto kWait = std::chrono::milliseconds(50);

  /// `wake` is called by other threads when pump() has something to do. The tree must outlive this.
  Answers(fs::Tree& tree, const Capacities& capacities, std::function<void()> wake);
  ~Answers();  ///< stop(), and waits for what is being read
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  /// Requires: a row of the list that pump() will get. `digest`: computed beside the checksum.
  void ask(RowId row, std::optional<DigestKind> digest);
  /// Hands questions on and takes what was found, a batch at most; `list` learns it. Errors: the whole source
  /// is gone (Errc::lost); what the list cannot keep.
  [[nodiscard]] Result<void> pump(Listing& list);
  /// What is to be sent now: a batch, the last that were asked for, or some that have waited long enough.
  /// Empty: nothing.
  [[nodiscard]] std::vector<wire::DigestRow> take_due();
  /// Something was asked and is not in a row yet.
  [[nodiscard]] bool open() const noexcept { return open_ > 0; }
  /// Gives up. Does not wait.
  void stop() noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  struct Question {
    RowId row = kNoRow;
    std::optional<DigestKind> digest;
  };

  fs::Tree& tree_;
  BoundedQueue<content::ContentJob> jobs_;
  BoundedQueue<content::ContentResult> results_;
  std::deque<Question> questions_;  ///< not yet in jobs_
  std::size_t open_ = 0;
  std::vector<wire::DigestRow> rows_;  ///< not yet taken
  Clock::time_point since_;            ///< when the first of them came
  std::unique_ptr<content::ContentReaders> readers_;
};

}  // namespace ssync::source
