#pragma once

// What the parts of the receiver hand to one another.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/content/content.h"
#include "ssync/model/change.h"
#include "ssync/store/placing.h"
#include "ssync/wire/data.h"

namespace ssync::store {

/// A file that arrives in several pieces.
struct Unfinished {
  NewFile staged;
  content::ContentHash hash;
  std::uint64_t end = 0;   ///< of what was hashed
  std::uint64_t size = 0;  ///< of the staged file: a hole that was hashed may still be missing at its end
};

/// A directory that files are expected in.
struct Location {
  // Fixed by expect().
  std::string path;
  unsigned writer = 0;  ///< one directory's files go through one writer: two would wait for its lock

  // The ledger's, under its lock.
  std::size_t to_fill = 0;  ///< files that fill it and are neither staged nor failed yet
  bool complete = false;    ///< nobody expects more, for now
  bool fills = false;       ///< at least one of its files fills it (Incoming::fills)

  // Its writer's.
  bool filled = false;  ///< it is not filled any more: files that still come go in one by one
};

/// One expected file. There may be very many, so it is kept small.
struct Incoming {
  // Fixed by expect().
  RowId row = kNoRow;
  Location* location = nullptr;  ///< the ledger's
  std::string name;
  std::unique_ptr<const Seen> replaces;  ///< Change::at_path; null: the path is free
  bool any_content = false;
  bool fills = false;  ///< it is small, and its directory is filled in staging and renamed as a whole

  // The ledger's, under its lock.
  std::uint64_t next_offset = 0;
  bool begun = false;
  bool ended = false;
  bool failed = false;  ///< nobody waits for it any more; what still comes is discarded

  // Its writer's; then, once staged, the publisher's.
  Values wanted;
  std::unique_ptr<Unfinished> unfinished;
  bool changed = false;   ///< in the source, while it was read
  bool reported = false;  ///< its failure went out

  [[nodiscard]] PathView path() const noexcept { return {location->path, name}; }
  [[nodiscard]] std::optional<Seen> at_path() const {
    return replaces ? std::optional(*replaces) : std::nullopt;
  }
};

/// One data message, shared by the writers that have a part in it.
struct Message {
  Buffer payload;
  std::vector<wire::Segment> segments;
  std::uint64_t charge = 0;
  std::atomic<unsigned> parts{0};  ///< not yet written or discarded
};

/// Work for one writer: pieces of a message in order, or the end of a file that the source cannot send.
struct Part {
  struct Piece {
    Incoming* file = nullptr;
    std::uint32_t segment = 0;
    std::uint32_t payload_offset = 0;
  };
  std::shared_ptr<Message> message;
  std::vector<Piece> pieces;
  Incoming* given_up = nullptr;
  Location* completed = nullptr;  ///< all that fills it has come, or failed
  Problem why;
};

/// Complete and verified, waiting for its name.
struct ReadyFile {
  Incoming* file = nullptr;
  Staged staged;
  Checksum checksum{};
  std::optional<Seen> seen;  ///< its stat in a filled directory; renaming that directory does not change it
};

/// Files that each get their own name or, with `directory`, one directory that they fill: it is staged under
/// `slot`, they have their names in it, and it is renamed as a whole.
struct Ready {
  Location* directory = nullptr;
  std::string slot;
  std::vector<ReadyFile> files;
  std::uint64_t bytes = 0;

  void add(ReadyFile file) {
    bytes += file.file->wanted.size;
    files.push_back(std::move(file));
  }
};

}  // namespace ssync::store
