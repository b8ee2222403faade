// The files that the server requested, on their way to being sent.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "ssync/base/bounded_queue.h"
#include "ssync/fs/tree.h"
#include "ssync/source/source.h"
#include "ssync/transfer/source_reader.h"

#include "listing.h"

namespace ssync::source {

/// Has them read by a SourceReader, which begins with the first request. One thread.
class Uploads {
 public:
  /// `wake` is called by other threads when there is room for requests, or a chunk. The tree must outlive
  /// this.
  Uploads(fs::Tree& tree, const Capacities& capacities, std::function<void()> wake);
  ~Uploads();  ///< stop(), and waits for what is being read
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  /// Requires: a row of the list that pump() will get.
  void request(RowId row, bool any_content);
  /// Hands on as many requests as there is room for.
  void pump(const Listing& list);
  /// The next chunk, or what became of a file that cannot be read. nullopt: nothing just now.
  [[nodiscard]] std::optional<transfer::ReadOutput> next() { return chunks_.try_pop(); }
  /// Gives up. Does not wait.
  void stop() noexcept;

 private:
  struct Request {
    RowId row = kNoRow;
    bool any_content = false;
  };

  fs::Tree& tree_;
  BoundedQueue<transfer::ReadRequest> reads_;
  BoundedQueue<transfer::ReadOutput> chunks_;
  std::deque<Request> requests_;  ///< not yet in reads_
  std::unique_ptr<transfer::SourceReader> reader_;
};

}  // namespace ssync::source
