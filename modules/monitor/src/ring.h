#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ssync/base/event_fd.h"
#include "ssync/base/mutex.h"
#include "ssync/monitor/tap.h"

namespace ssync::monitor {

struct TapRing::Impl {
  explicit Impl(std::size_t max_records) : capacity(max_records) {}

  struct Batch {
    std::vector<wire::TapRecord> records;
    std::uint64_t dropped = 0;  ///< since the ring was made
  };

  void push(wire::TapRecord record) noexcept SSYNC_EXCLUDES(mutex);
  /// All there is; its capacity of memory is the caller's now.
  [[nodiscard]] Batch take() SSYNC_EXCLUDES(mutex);
  /// `with` is signalled when the ring is no longer empty; null when nobody serves it (then it is not active
  /// either).
  void serve(EventFd* with) SSYNC_EXCLUDES(mutex);

  const std::size_t capacity;
  /// Relaxed: a record more or less when somebody begins to listen means nothing.
  std::atomic<bool> active{false};

  Mutex mutex;
  std::vector<wire::TapRecord> records SSYNC_GUARDED_BY(mutex);
  std::uint64_t dropped SSYNC_GUARDED_BY(mutex) = 0;
  EventFd* wake SSYNC_GUARDED_BY(mutex) = nullptr;
};

}  // namespace ssync::monitor
