// Whose mirror it is, kept with the mirror on a file system that other machines reach: a server that opens it
// there for the first time must know what another has learned.
#pragma once

#include <optional>
#include <string>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"

namespace ssync::fs {

struct MirrorRecord {
  std::string source_id;  ///< any bytes
  bool synced = false;    ///< a sync of it ended well
  std::string epoch;      ///< of who wrote this
  friend bool operator==(const MirrorRecord&, const MirrorRecord&) = default;
};

/// What `.server-sync.state/mirror` says. nullopt: there is none. Errc::corrupt: it is damaged.
/// Format: lines "server-sync mirror 1", "source <escaped id>", "synced 0|1", "epoch <hex>", and "sum <16
/// hex>", the FNV-1a hash of all bytes before that line.
[[nodiscard]] Result<std::optional<MirrorRecord>> read_mirror_record(Tree& tree);
/// Replaces it: written beside, flushed, renamed, flushed. The directory is made when it is not there.
[[nodiscard]] Result<void> write_mirror_record(Tree& tree, const MirrorRecord& record);

}  // namespace ssync::fs
