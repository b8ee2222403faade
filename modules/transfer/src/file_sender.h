#pragma once

// Reads requested files, one after the other, into the chunks of one packer.

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "ssync/base/workers.h"
#include "ssync/content/content.h"
#include "ssync/fs/directory_cache.h"

#include "chunk_packer.h"

namespace ssync::transfer {

/// Thread safety: one thread.
class FileSender {
 public:
  /// `waited`: told now and then how often reading a file of one piece waited (voluntary switches).
  FileSender(fs::Tree& tree, ChunkPacker& packer, std::function<void(std::uint64_t)> waited)
      : directories_(tree), packer_(packer), waited_(std::move(waited)) {}

  /// All of the file, as it is now, into chunks. Errors: Errc::closed when reading was stopped; else this
  /// file cannot be sent (not_found: it vanished), and what left of it already is to be forgotten by whoever
  /// got it.
  [[nodiscard]] Result<void> send(const ReadRequest& request);

 private:
  /// What becomes of a reading during which the file changed.
  enum class Changed : std::uint8_t { again, kept };
  /// False: the file changed meanwhile, another try may do.
  [[nodiscard]] Result<bool> attempt(const ReadRequest& request, Changed changed);
  /// Whether what was read is a content that it had; sets what `done` says of it.
  [[nodiscard]] Result<bool> was_quiet(fs::File& file, const Seen& before, SentFile& done);
  /// These set checksum_ and got_.
  [[nodiscard]] Result<void> read_piece(fs::File& file, RowId row, std::size_t size);
  [[nodiscard]] Result<void> read_stream(fs::File& file, RowId row, std::uint64_t size, bool sparse);
  [[nodiscard]] Result<void> read_range(fs::File& file, RowId row, std::uint64_t end);
  /// Whether the first `size` bytes still are what was read: the file only grew.
  [[nodiscard]] Result<bool> prefix_is_unchanged(fs::File& file, std::uint64_t size);
  void add(RowId row, std::uint64_t offset, std::size_t length);

  fs::DirectoryCache directories_;
  ChunkPacker& packer_;
  const std::function<void(std::uint64_t)> waited_;
  WaitProbe probe_;  ///< files read in one piece
  content::ContentHash hash_;
  std::vector<std::byte> scratch_;

  // Of the file in hand.
  ChunkPacker::Mark mark_;
  Checksum checksum_{};
  std::uint64_t got_ = 0;  ///< bytes read, holes counted: less than its size when it was cut meanwhile
  bool restart_ = false;   ///< something of an earlier try left with a chunk: the next segment says so
  bool begun_ = false;     ///< this try has added a segment
};

}  // namespace ssync::transfer
