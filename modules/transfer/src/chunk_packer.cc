#include "chunk_packer.h"

#include <algorithm>

#include "data_head.h"

namespace ssync::transfer {

bool ChunkPacker::table_has_room() const noexcept {
  // Room for two segments: the next one, and an empty one that may have to end the file.
  return table_bytes_ + 2 * largest_segment_bytes() <= wire::kTableBytesMax;
}

bool ChunkPacker::make_room(std::size_t bytes) {
  if (chunk_ && (chunk_bytes_ - used_ < bytes || !table_has_room()) && !flush()) return false;
  if (chunk_) return true;
  std::optional<Buffer> buffer = pool_.take();
  if (!buffer) return false;
  chunk_.emplace();
  chunk_->payload = *std::move(buffer);
  used_ = 0;
  table_bytes_ = kDataHeaderBytes;
  ++chunk_number_;
  return true;
}

std::span<std::byte> ChunkPacker::free_space() noexcept {
  if (!chunk_ || !table_has_room()) return {};
  return chunk_->payload.writable().subspan(used_, chunk_bytes_ - used_);
}

void ChunkPacker::add(const wire::Segment& segment) {
  used_ += segment.length;
  table_bytes_ += wire::table_bytes(segment);
  chunk_->segments.push_back(segment);
}

bool ChunkPacker::finish(SentFile file, bool restart) {
  const wire::Ending ending{file.values.size, file.values.mtime, file.checksum, file.changed};
  if (chunk_ && !chunk_->segments.empty() && chunk_->segments.back().row == file.row &&
      !chunk_->segments.back().last) {
    wire::Segment& last = chunk_->segments.back();
    table_bytes_ -= wire::table_bytes(last);
    last.last = true;
    last.ending = ending;
    table_bytes_ += wire::table_bytes(last);
  } else {
    if (!make_room(0)) return false;
    const std::uint64_t offset = restart ? 0 : file.values.size;
    add({.row = file.row, .offset = offset, .restart = restart, .last = true, .ending = ending});
  }
  chunk_->finished.push_back(std::move(file));
  return true;
}

bool ChunkPacker::flush() {
  if (!chunk_) return true;
  Chunk chunk = *std::move(chunk_);
  chunk_.reset();
  if (chunk.segments.empty()) return true;
  chunk.payload.shorten(used_);
  return output_.push(std::move(chunk));
}

bool ChunkPacker::roll_back(const Mark& mark) {
  if (!chunk_) return mark.chunk == chunk_number_;
  const bool same_chunk = mark.chunk == chunk_number_;
  // A chunk that was begun since the mark holds nothing but this file, as a thread reads one file after the
  // other.
  const std::size_t keep = same_chunk ? mark.segments : 0;
  while (chunk_->segments.size() > keep) {
    used_ -= chunk_->segments.back().length;
    table_bytes_ -= wire::table_bytes(chunk_->segments.back());
    chunk_->segments.pop_back();
  }
  return same_chunk;
}

}  // namespace ssync::transfer
