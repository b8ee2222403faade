#include "index_reader.h"

namespace ssync::mirror {

// A cursor reads ahead, so it is only opened for the second question about one directory.
std::optional<index::Record> IndexReader::find(PathView path) {
  return index_.with([&](index::Index& index) -> std::optional<index::Record> {
    const bool goes_on = path.location == location_ && path.name > name_;
    if (!goes_on) cursor_.reset();
    location_ = path.location;
    name_ = path.name;
    if (!goes_on) return index.find(path);
    if (!cursor_) cursor_.emplace(index.directory(path.location));
    index::Record record;
    if (cursor_->find(path.name, record) != index::Index::Cursor::Found::yes) return std::nullopt;
    return record;
  });
}

}  // namespace ssync::mirror
