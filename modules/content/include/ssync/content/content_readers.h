// Threads that read files to know their content, for questions of the planner. Both ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/result.h"
#include "ssync/base/thread_counts.h"
#include "ssync/base/workers.h"
#include "ssync/content/content.h"
#include "ssync/fs/directory_cache.h"
#include "ssync/fs/tree.h"

namespace ssync::content {

struct ContentJob {
  std::uint64_t id = 0;  ///< the caller's
  std::string location, name;
  std::optional<Seen> expected;      ///< only this file may answer
  std::optional<DigestKind> digest;  ///< compute it beside the checksum
};
struct ContentResult {
  std::uint64_t id = 0;
  Result<Content> content;
};

/// Each job is answered exactly once, in any order, by a call of `answer` from one of the threads; it may
/// block. Ends when `jobs` is closed and drained. Thread safety: stop() any thread. The tree and the queue
/// must outlive it.
class ContentReaders {
 public:
  /// More do not help when small files have to be waited for.
  static constexpr unsigned kThreadsWaiting = 8;

  ContentReaders(fs::Tree& tree, ThreadCounts threads, BoundedQueue<ContentJob>& jobs,
                 std::function<void(ContentResult)> answer);
  ~ContentReaders();  ///< close `jobs` or stop() first
  /// Jobs not begun or under way are answered with Errc::interrupted.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

 private:
  void run();
  [[nodiscard]] Result<Content> read(fs::DirectoryCache& directories, ContentReader& reader,
                                     const ContentJob& job);

  fs::Tree& tree_;
  BoundedQueue<ContentJob>& jobs_;
  std::function<void(ContentResult)> answer_;
  std::atomic<bool> stopped_{false};
  Workers workers_;  ///< end when jobs_ is closed
};

}  // namespace ssync::content
