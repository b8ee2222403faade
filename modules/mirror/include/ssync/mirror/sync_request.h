// What one sync of a mirror is to do, and how much may lie between its stages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/fs/mirror_record.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"
#include "ssync/wire/limits.h"
#include "ssync/wire/messages.h"

namespace ssync::mirror {

struct SyncRequest {
  wire::SyncOptions options;
  Attributes attributes;
  std::optional<std::uint64_t> server_max_delete;
  bool durable = true;
  bool synced_before = false;
  std::vector<std::string> leave_out;         ///< see scanner::Options
  std::optional<fs::DirectoryId> other_root;  ///< likewise
  /// Of the root's lock, where others can reach the mirror: whose it is must stand with it. Else empty.
  std::string epoch;
  bool has_lock = false;                   ///< nobody else stages here
  std::optional<fs::MirrorRecord> record;  ///< what stands there

  /// Nothing is changed.
  [[nodiscard]] bool only_shows() const { return options.dry_run || options.verify; }
  /// Every file's content is read, compared and folded into the tree digest.
  [[nodiscard]] bool reads_content() const { return options.compare_content || options.verify; }
};

/// Sizes of what is between the stages. A test runs everything with 1 of each.
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
};

}  // namespace ssync::mirror
