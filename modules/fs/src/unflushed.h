#pragma once

// Where syncfs proves nothing: what was changed since the last Tree::sync(), to be flushed one by one.

#include <atomic>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "ssync/base/mutex.h"
#include "ssync/base/result.h"

#include "resolve.h"

namespace ssync::fs {

/// Thread safety: any thread. Memory: two short strings for each of at most kEntriesMax; beyond that the one
/// who adds flushes.
class Unflushed {
 public:
  static constexpr std::size_t kEntriesMax = 8192;

  void want(bool wanted);
  [[nodiscard]] bool wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  /// An entry has other content or attributes; an empty name: the directory has, or another name came or
  /// went.
  void add(std::string_view location, std::string_view name);
  /// An entry was moved: what is remembered of its old path, and of all below, counts for the new one.
  void moved(std::pair<std::string_view, std::string_view> from,
             std::pair<std::string_view, std::string_view> to);
  /// A flush elsewhere (of a file that was closed) failed: the next flush() returns this Error.
  void failed(Error error);
  [[nodiscard]] bool is_full() const;
  /// All of it. The first failure is the Error; what is gone by now is passed over.
  [[nodiscard]] Result<void> flush(int root, const Resolver& resolver);

 private:
  using Entries = std::set<std::pair<std::string, std::string>>;

  std::atomic<bool> wanted_{false};
  mutable Mutex mutex_;
  Entries entries_ SSYNC_GUARDED_BY(mutex_);
  Result<void> failed_ SSYNC_GUARDED_BY(mutex_);
};

}  // namespace ssync::fs
