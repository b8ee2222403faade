// What one sync of a mirror is to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/fs/mirror_record.h"
#include "ssync/fs/tree.h"
#include "ssync/mirror/options.h"
#include "ssync/model/entry.h"
#include "ssync/wire/messages.h"

namespace ssync::mirror {

struct SyncRequest {
  wire::SyncOptions options;
  Attributes attributes;
  Limits limits;  ///< the mirror's and the client's
  bool durable = true;
  bool synced_before = false;
  std::vector<std::string> leave_out;         ///< see scanner::Options
  std::optional<fs::DirectoryId> other_root;  ///< likewise
  /// The epoch of the root's lock on a file system that other machines reach: there, whose mirror it is is
  /// kept with it. Elsewhere empty.
  std::string epoch;
  bool has_lock = false;                   ///< nobody else stages here
  std::optional<fs::MirrorRecord> record;  ///< what is kept there
};

}  // namespace ssync::mirror
