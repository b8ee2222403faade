#include "cursor.h"

#include <cstring>
#include <utility>

namespace ssync::index {

BlockReader::Step BlockReader::next_name(Record& scratch) {
  if (fields_pending_ && !fields(scratch)) return Step::damaged;
  if (rows_left_ == 0) return Step::end;
  const std::uint64_t shared = in_.varint();
  const std::string_view rest = in_.text(kNameBytesMax);
  if (in_.failed() || shared > name_size_ || shared + rest.size() > kNameBytesMax) return Step::damaged;
  // Ascending: what follows the shared part must be more than what stood there. The root's own row has the
  // empty name.
  const std::string_view before = name().substr(static_cast<std::size_t>(shared));
  if (!first_ && rest <= before) return Step::damaged;
  if (!rest.empty()) std::memcpy(name_.data() + shared, rest.data(), rest.size());
  name_size_ = static_cast<std::size_t>(shared) + rest.size();
  first_ = false;
  --rows_left_;
  fields_pending_ = true;
  return Step::row;
}

bool BlockReader::fields(Record& record) {
  fields_pending_ = false;
  return decode_fields(in_, record, state_);
}

BaseCursor::BaseCursor(std::shared_ptr<const BaseFile> base, std::string location, Access access)
    : base_(std::move(base)), location_(std::move(location)), access_(access) {
  if (!base_) return;
  DirectoryLookup lookup = base_->find_directory(location_, access_);
  if (lookup.found == DirectoryLookup::Found::no) return;
  if (!base_->usable()) {
    all_unknown_ = true;
    return;
  }
  ref_ = lookup.ref;
  blocks_ = blocks_of(ref_.rows);
  is_there_ = take(std::move(lookup.first), 0);
  gap_ = !is_there_;
  next_block_ = 1;
}

bool BaseCursor::is_block(const std::optional<Block>& block, std::uint32_t number) const {
  return block && block->location == location_ && block->number == number;
}

bool BaseCursor::take(std::optional<Block> block, std::uint32_t number) {
  block_.reset();
  reader_ = BlockReader();
  if (!is_block(block, number)) return false;
  block_ = std::move(block);
  reader_ = BlockReader(*block_);
  return true;
}

// To the next readable row; damaged blocks and the rest of a block that decodes to nonsense become a gap.
bool BaseCursor::next_row() {
  while (true) {
    switch (reader_.next_name(scratch_)) {
      case BlockReader::Step::row:
        return true;
      case BlockReader::Step::damaged:
        gap_ = true;
        break;
      case BlockReader::Step::end:
        break;
    }
    if (next_block_ >= blocks_) return false;
    const std::uint32_t number = next_block_++;
    if (!take(base_->block(base_->block_offset(ref_, number), access_), number)) gap_ = true;
  }
}

BaseCursor::Found BaseCursor::find(std::string_view name, Record& record) {
  if (all_unknown_) return Found::unreadable;
  while (true) {
    if (!row_ready_) {
      if (!next_row()) return gap_ ? Found::unreadable : Found::no;
      row_ready_ = true;
    }
    const int order = reader_.name().compare(name);
    if (order > 0) return gap_ ? Found::unreadable : Found::no;
    row_ready_ = false;
    name_given_ = false;
    gap_ = false;
    if (order < 0) continue;
    if (reader_.fields(record)) return Found::yes;
    gap_ = true;
    return Found::unreadable;
  }
}

bool BaseCursor::is_whole() const {
  if (!is_there_) return false;
  std::uint64_t rows = block_->rows;
  for (std::uint32_t number = 1; number < blocks_; ++number) {
    const std::optional<Block> block = base_->block(base_->block_offset(ref_, number), access_);
    if (!is_block(block, number)) return false;
    rows += block->rows;
  }
  return rows == ref_.rows;
}

std::optional<std::string_view> BaseCursor::next_name() {
  if (std::exchange(name_given_, false)) row_ready_ = false;
  row_ready_ = row_ready_ || next_row();
  if (!row_ready_) return std::nullopt;
  name_given_ = true;
  return reader_.name();
}

void BaseCursor::seek(std::string_view name) {
  if (blocks_ < 2 || gap_) return;
  std::uint32_t low = 0;  // the last block known to start at or before the name
  std::uint32_t high = blocks_;
  std::optional<Block> best = block_;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    std::optional<Block> probe = base_->block(base_->block_offset(ref_, middle), access_);
    if (!probe || probe->location != location_ || probe->number != middle)
      return;  // read in order, around the damage
    BlockReader reader(*probe);
    if (reader.next_name(scratch_) != BlockReader::Step::row) return;
    if (reader.name() <= name) {
      low = middle;
      best = std::move(probe);
    } else {
      high = middle;
    }
  }
  if (take(std::move(best), low)) next_block_ = low + 1;
}

}  // namespace ssync::index
