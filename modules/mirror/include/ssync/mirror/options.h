// What is fixed for a mirror, and how much may lie between the parts of its syncs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "ssync/base/thread_counts.h"
#include "ssync/wire/limits.h"

namespace ssync::mirror {

struct Options {
  std::string directory;
  std::string state_dir;                    ///< where its index is
  std::optional<std::uint64_t> max_delete;  ///< entries; no client can lift it
  bool take_over = false;                   ///< another source than the last one may have it
  bool accept_root = false;                 ///< it may be on another file system than at the last sync
  bool fsync = false;                       ///< every sync is durable
  /// A file of this process that is no part of any mirror, wherever it lies.
  std::optional<std::string> log_file;
};

/// What one client may do to a mirror, whatever it asks for. Absent: no limit.
struct Limits {
  std::optional<std::uint64_t> max_delete;   ///< entries in one sync
  std::optional<std::uint64_t> max_entries;  ///< that the mirror holds afterwards, its root not counted
  std::optional<std::uint64_t> max_bytes;    ///< that its files have afterwards, by their sizes
  friend bool operator==(const Limits&, const Limits&) = default;
};

/// Sizes of what is between the parts of a sync, how long they wait, and with how many threads. A test runs
/// everything with 1 of each.
struct Capacities {
  std::size_t list_batches = wire::kListWindow;
  std::size_t mirror_blocks = 8;  ///< batches
  std::size_t inbox = 4096;
  std::size_t outputs = 8;
  std::size_t content_jobs = 256;
  std::size_t receive_events = 4096;
  std::size_t seal_items = 64;        ///< batches
  std::size_t open_requests = 8192;   ///< files requested and not yet published
  std::size_t open_questions = 8192;  ///< source files whose content was asked for
  /// No file is waited for longer until its stat can be believed: a file system whose clock runs ahead of
  /// ours would never tick past its stamps.
  std::chrono::milliseconds seal_wait{2500};
  /// Of each part that has several: scan, content readers, writers.
  ThreadCounts threads{.busy = 2, .waiting = 16};
};

}  // namespace ssync::mirror
