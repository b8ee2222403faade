#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ssync/base/mutex.h"

namespace ssync::index {

/// Sentences about what could not be read, for the log. Bounded: a disk that fails all over is not worth a
/// million lines. Thread safety: any thread.
class Damage {
 public:
  void add(std::string sentence) SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (sentences_.size() < kKept) {
      sentences_.push_back(std::move(sentence));
    } else {
      ++more_;
    }
  }
  [[nodiscard]] std::vector<std::string> sentences() const SSYNC_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    std::vector<std::string> all = sentences_;
    if (more_ != 0) all.push_back("and " + std::to_string(more_) + " more places");
    return all;
  }

 private:
  static constexpr std::size_t kKept = 32;

  mutable Mutex mutex_;
  std::vector<std::string> sentences_ SSYNC_GUARDED_BY(mutex_);
  std::size_t more_ SSYNC_GUARDED_BY(mutex_) = 0;
};

}  // namespace ssync::index
