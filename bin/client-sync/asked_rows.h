// Rows of the directories that the server asked for, made again from what was kept of the list.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "ssync/index/index.h"
#include "ssync/model/snapshot.h"
#include "ssync/wire/codec.h"

namespace ssync::client_program {

/// Thread safety: one thread at a time; keep() while the list is made, the rest after.
class AskedRows {
 public:
  /// Both must outlive it.
  AskedRows(const Snapshot& rows, const index::Index& index) : rows_(rows), index_(index) {}

  /// What neither the snapshot nor the index holds. Rows in ascending order.
  void keep(EntryIndex row, const Origin& origin);
  /// Errc::protocol: no such directory was listed, or it is not after the one asked for before.
  [[nodiscard]] Result<void> ask(const wire::ListingRow& listing);
  /// The next message's worth; nullopt: nothing is asked for that was not given.
  [[nodiscard]] Result<std::optional<wire::FileListEncoder::Encoded>> next();

 private:
  struct KeptOrigin {
    EntryIndex row = 0;
    std::uint32_t location = 0;  ///< in locations_
    std::uint32_t name = 0;      ///< position in names_
    std::uint8_t name_bytes = 0;
    bool proven = false;
    Checksum checksum{};
  };
  [[nodiscard]] Row row_of(EntryIndex entry, DirectoryIndex directory);
  [[nodiscard]] std::optional<Origin> origin_of(EntryIndex entry) const;

  const Snapshot& rows_;
  const index::Index& index_;
  std::vector<KeptOrigin> origins_;
  std::vector<std::string> locations_;
  std::string names_;

  std::deque<DirectoryIndex> asked_;
  std::uint64_t next_directory_ = 0;  ///< the least that may be asked for
  EntryIndex next_row_ = kNoEntry;    ///< of the first in asked_; kNoEntry: not begun
  std::optional<index::Index::Cursor> cursor_;
  wire::FileListEncoder encoder_;
};

}  // namespace ssync::client_program
