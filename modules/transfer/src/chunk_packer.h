#pragma once

// The chunk that one reading thread is filling: payload, segment table, and the files that end in it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/buffer.h"
#include "ssync/transfer/source_reader.h"
#include "ssync/wire/data.h"

namespace ssync::transfer {

/// Thread safety: one thread. Holds at most one buffer of the pool, and none while nothing is in it.
class ChunkPacker {
 public:
  ChunkPacker(BufferPool& pool, BoundedQueue<ReadOutput>& output, std::size_t chunk_bytes)
      : pool_(pool), output_(output), chunk_bytes_(chunk_bytes) {}

  /// Makes `bytes` of payload and a segment fit: starts a chunk, after sending the one before if need be.
  /// Blocks for a buffer and for the output queue. False: reading was stopped. Requires: bytes <= capacity().
  [[nodiscard]] bool make_room(std::size_t bytes);
  /// Where the next segment's content goes. Empty before make_room() and when the chunk is full.
  [[nodiscard]] std::span<std::byte> free_space() noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return chunk_bytes_; }
  /// Takes over `segment.length` bytes at the front of free_space(). Requires: make_room() before.
  void add(const wire::Segment& segment);
  /// Makes the segment added last, if it is still here and of this row, the file's last one; else adds an
  /// empty one for it. False: stopped.
  [[nodiscard]] bool finish(SentFile file, bool restart);
  /// Sends what there is. False: reading was stopped.
  [[nodiscard]] bool flush();

  /// A point to go back to. Segments that left with an earlier chunk cannot be taken back.
  struct Mark {
    std::uint64_t chunk = 0;
    std::size_t segments = 0;
  };
  [[nodiscard]] Mark mark() const noexcept { return {chunk_number_, chunk_ ? chunk_->segments.size() : 0}; }
  /// Drops what was added since `mark` and is still here. True: that was all of it.
  bool roll_back(const Mark& mark);

 private:
  [[nodiscard]] bool table_has_room() const noexcept;

  BufferPool& pool_;
  BoundedQueue<ReadOutput>& output_;
  const std::size_t chunk_bytes_;
  std::optional<Chunk> chunk_;
  std::size_t used_ = 0;
  std::size_t table_bytes_ = 0;
  std::uint64_t chunk_number_ = 0;  ///< counts chunks that were begun, sent or not
};

}  // namespace ssync::transfer
