#pragma once

// What the parts of the receiver hand to one another.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/model/change.h"
#include "ssync/transfer/content.h"
#include "ssync/wire/data.h"

#include "placing.h"

namespace ssync::transfer {

/// A file that arrives in several pieces.
struct Unfinished {
  NewFile staged;
  ContentHash hash;
  std::uint64_t end = 0;   ///< of what was hashed
  std::uint64_t size = 0;  ///< of the staged file: a hole that was hashed may still be missing at its end
};

/// One expected file. There may be very many, so the request is kept without what a new file's request does
/// not say.
struct Incoming {
  // Fixed by expect().
  RowId row = kNoRow;
  const std::string* location = nullptr;  ///< the ledger's
  std::string name;
  std::unique_ptr<Change>
      rest;  ///< the request without the strings above; null when it says nothing else than `wanted`
  unsigned writer = 0;

  // The ledger's, under its lock.
  std::uint64_t next_offset = 0;
  bool begun = false;
  bool ended = false;
  bool failed = false;  ///< nobody waits for it any more; what still comes is discarded

  // Its writer's; then, once staged, the publisher's.
  Values wanted;
  std::unique_ptr<Unfinished> unfinished;
  bool reported = false;  ///< its failure went out

  [[nodiscard]] PathView path() const noexcept { return {*location, name}; }
  [[nodiscard]] const std::optional<Seen>& at_path() const noexcept {
    static const std::optional<Seen> kNothing;
    return rest ? rest->at_path : kNothing;
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
  Problem why;
};

/// Complete and verified, waiting for its name.
struct Ready {
  Incoming* file = nullptr;
  Staged staged;
  Checksum checksum{};
};

}  // namespace ssync::transfer
