// Writes a base. As long as what is added encodes to the bytes of the old base, nothing is written: each
// finished block is compared with the old file's at the same offset. At the first difference a new file is
// started with the common prefix.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

#include "base_file.h"
#include "codec.h"
#include "inode_runs.h"
#include "state_files.h"

namespace ssync::index {

/// Thread safety: one thread at a time. Memory: once it writes, 24 bytes a directory, one output buffer, and
/// what InodeRuns holds.
class BaseWriter {
 public:
  /// `old` may be null or unusable. `files` must outlive it.
  BaseWriter(const StateFiles& files, std::shared_ptr<const BaseFile> old);
  ~BaseWriter();
  BaseWriter(const BaseWriter&) = delete;
  BaseWriter& operator=(const BaseWriter&) = delete;

  /// Requires: sorts after the directory before it; Errc::invalid_argument otherwise.
  [[nodiscard]] Result<void> begin_directory(std::string_view location);
  /// Requires: sorts after the name before it; Errc::invalid_argument otherwise, and for values that no stat
  /// has.
  [[nodiscard]] Result<void> add(std::string_view name, const Record& record);
  /// As Index::Writer::keep_directory().
  [[nodiscard]] Result<void> keep_directory(std::string_view location);

  /// Nothing more comes. True: all of it equals the old base, and nothing was written.
  [[nodiscard]] Result<bool> finish_rows();
  /// Writes the rest under this header, flushes, renames. Requires: finish_rows() said false.
  [[nodiscard]] Result<UniqueFd> finish(const Header& header);

 private:
  struct CurrentDirectory {
    bool begun = false;
    std::string location;
    std::uint64_t hash = 0;
    std::uint32_t rows = 0;
    std::uint32_t blocks = 0;
    std::uint64_t first_offset = 0;
    std::vector<std::uint64_t> more;  // offsets of the blocks after the first
  };
  /// A file of the block that is being filled; its offset is known when the block is finished.
  struct PendingInode {
    std::uint64_t inode = 0, tag = 0;
  };

  void begin_block();
  [[nodiscard]] Result<void> end_block();
  void count_block(std::uint64_t checksum, std::size_t bytes, std::uint32_t rows);
  [[nodiscard]] Result<void> add_block(const Block& block);
  [[nodiscard]] Result<void> end_directory();
  [[nodiscard]] bool equals_old(ByteSpan block);
  [[nodiscard]] Result<void> start_file();
  [[nodiscard]] Result<void> copy_prefix();
  [[nodiscard]] Result<void> take_over_tables();
  [[nodiscard]] Result<void> emit(ByteSpan bytes);
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> write(ByteSpan bytes);
  [[nodiscard]] Result<void> emit_directories(Trailer& trailer);
  [[nodiscard]] Result<void> emit_inodes(Trailer& trailer);
  [[nodiscard]] Result<void> emit_header(Trailer& trailer, const Header& header);

  const StateFiles& files_;
  std::shared_ptr<const BaseFile> old_;
  bool comparing_ = false;
  std::uint64_t offset_ = kBlocksBegin;  // where the next block goes, in the old file as in the new
  std::uint64_t entries_ = 0;
  std::uint64_t blocks_checksum_ = 0;

  CurrentDirectory directory_;
  Out block_;
  Out records_;
  FieldState state_;
  std::array<char, kNameBytesMax> name_{};
  std::size_t name_size_ = 0;
  std::uint32_t block_rows_ = 0;
  std::vector<PendingInode> block_inodes_;

  UniqueFd fd_;
  Out out_;
  std::vector<DirectoryRef> directories_;
  std::vector<std::uint64_t> more_blocks_;
  InodeRuns inodes_;
};

}  // namespace ssync::index
