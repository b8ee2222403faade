// The records of one directory of a base, in name order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ssync/index/index.h"

#include "base_file.h"
#include "codec.h"

namespace ssync::index {

/// Reads one block's rows. Requires: the block outlives it.
class BlockReader {
 public:
  BlockReader() = default;
  explicit BlockReader(const Block& block) noexcept : in_(block.records), rows_left_(block.rows) {}

  enum class Step : std::uint8_t { row, end, damaged };
  /// To the next row: its name is name(), its fields are then read with fields() or passed over by the next
  /// call.
  [[nodiscard]] Step next_name(Record& scratch);
  [[nodiscard]] std::string_view name() const noexcept { return {name_.data(), name_size_}; }
  /// Once for each row. False: damaged.
  [[nodiscard]] bool fields(Record& record);

 private:
  In in_;
  FieldState state_;
  std::array<char, kNameBytesMax> name_{};
  std::size_t name_size_ = 0;
  std::uint32_t rows_left_ = 0;
  bool first_ = true;
  bool fields_pending_ = false;
};

/// Thread safety: one thread at a time.
class BaseCursor {
 public:
  using Found = Index::Cursor::Found;
  /// `base` may be null: nothing is found.
  BaseCursor(std::shared_ptr<const BaseFile> base, std::string location, Access access);
  /// As Index::Cursor::find(), without the log.
  [[nodiscard]] Found find(std::string_view name, Record& record);
  /// As the functions of Index::Cursor.
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] std::optional<std::string_view> next_name();
  /// Goes to the block that may have `name`, by binary search; for one find() in a large directory.
  void seek(std::string_view name);
  [[nodiscard]] const std::string& location() const noexcept { return location_; }
  /// nullopt: the base does not have the directory, or its first block is unreadable.
  [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept {
    return is_there_ ? std::optional<std::uint64_t>(ref_.rows) : std::nullopt;
  }

 private:
  [[nodiscard]] bool is_block(const std::optional<Block>& block, std::uint32_t number) const;
  [[nodiscard]] bool take(std::optional<Block> block, std::uint32_t number);
  [[nodiscard]] bool next_row();

  std::shared_ptr<const BaseFile> base_;
  std::string location_;
  Access access_;
  DirectoryRef ref_;
  bool is_there_ = false;     // ref_ is the directory's
  std::uint32_t blocks_ = 0;  // of the directory
  std::uint32_t next_block_ = 0;
  std::optional<Block> block_;
  BlockReader reader_;
  Record scratch_;
  bool row_ready_ = false;   // the reader stands on a row that was not handed out
  bool name_given_ = false;  // but its name was, by next_name()
  bool gap_ = false;         // rows before the present one are unknown
  bool all_unknown_ = false;
};

}  // namespace ssync::index
