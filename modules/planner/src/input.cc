#include "input.h"

#include <cstring>
#include <utility>

namespace ssync::planner {
namespace {

// Copies text into memory that was measured before.
class Text {
 public:
  explicit Text(char* at) : at_(at) {}
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {at_, at_};
    std::memcpy(at_, text.data(), text.size());
    const std::string_view kept(at_, text.size());
    at_ += text.size();
    return kept;
  }

 private:
  char* at_;
};

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.data() == b.data() || a == b);
}

std::size_t text_bytes(const std::vector<Row>& rows) {
  std::size_t bytes = 0;
  std::string_view location;
  for (const Row& row : rows) {
    if (!is_same(row.location, location)) bytes += row.location.size();
    location = row.location;
    bytes += row.name.size() + row.target.size();
    if (row.origin) bytes += row.origin->location.size() + row.origin->name.size();
  }
  return bytes;
}

void own_text(RowBatch& batch) {
  // One byte more: an empty view needs an address too.
  batch.storage = Buffer::allocate(text_bytes(batch.rows) + 1);
  char* const begin = reinterpret_cast<char*>(batch.storage.writable().data());
  Text text(begin);
  std::string_view location(begin, begin);
  for (Row& row : batch.rows) {
    if (!is_same(row.location, location)) location = text.keep(row.location);
    row.location = location;
    row.name = text.keep(row.name);
    row.target = text.keep(row.target);
    if (row.origin) {
      row.origin->location = text.keep(row.origin->location);
      row.origin->name = text.keep(row.origin->name);
    }
  }
}

}  // namespace

void SourceQueue::push(RowBatch batch) {
  if (batch.rows.empty()) return;
  if (batch.storage.empty()) own_text(batch);
  batches_.push_back(std::move(batch));
}

void SourceQueue::pop() {
  if (++next_ < batches_.front().rows.size()) return;
  batches_.pop_front();
  ++batch_;
  next_ = 0;
}

}  // namespace ssync::planner
