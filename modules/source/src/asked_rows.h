// Rows of the directories that the server asked for, made again from what was kept of the list.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "ssync/index/index.h"
#include "ssync/model/origins.h"
#include "ssync/model/snapshot.h"
#include "ssync/wire/codec.h"

namespace ssync::source {

/// Thread safety: one thread at a time; keep() while the list is made, the rest after.
class AskedRows {
 public:
  /// Both must outlive it.
  AskedRows(const Snapshot& rows, const index::Index& index) : rows_(rows), index_(index) {}

  /// Keeps a row's origin, the one thing that neither the snapshot nor the index has. Call it in ascending
  /// order of rows.
  void keep(EntryIndex row, const Origin& origin) { origins_.put(row, origin); }
  /// Errc::protocol: no such directory was listed, or it is not after the one asked for before.
  [[nodiscard]] Result<void> ask(const wire::AskedDirectory& asked);
  /// The next message's worth; nullopt: nothing is asked for that was not given.
  [[nodiscard]] Result<std::optional<wire::FileListEncoder::Encoded>> next();

 private:
  [[nodiscard]] Row row_of(EntryIndex entry, DirectoryIndex directory);

  const Snapshot& rows_;
  const index::Index& index_;
  Origins origins_;

  std::deque<DirectoryIndex> asked_;
  std::uint64_t next_directory_ = 0;  ///< the least that may be asked for
  EntryIndex next_row_ = kNoEntry;    ///< of the first in asked_; kNoEntry: not begun
  std::optional<index::Index::Cursor> cursor_;
  wire::FileListEncoder encoder_;
};

}  // namespace ssync::source
