#include "asked_rows.h"

#include <fmt/format.h>

#include "ssync/fs/same.h"

namespace ssync::source {

Result<void> AskedRows::ask(const wire::AskedDirectory& asked) {
  const bool listed = asked.directory >= next_directory_ && asked.directory < rows_.directories() &&
                      rows_.location(static_cast<DirectoryIndex>(asked.directory)) == asked.location;
  if (!listed) {
    return fail(Errc::protocol,
                fmt::format("the server asked for the rows of directory {} ('{}'), which was not listed so",
                            asked.directory, printable(split(asked.location))));
  }
  asked_.push_back(static_cast<DirectoryIndex>(asked.directory));
  next_directory_ = asked.directory + 1;
  return {};
}

Result<std::optional<wire::FileListEncoder::Encoded>> AskedRows::next() {
  while (!asked_.empty()) {
    const DirectoryIndex directory = asked_.front();
    const Snapshot::Range range = rows_.rows(directory);
    if (next_row_ == kNoEntry) {
      next_row_ = range.first;
      cursor_.emplace(index_.directory(rows_.location(directory)));
    }
    for (; next_row_ < range.last; ++next_row_) {
      const Row row = row_of(next_row_, directory);
      if (encoder_.add(row)) continue;
      if (encoder_.rows() == 0)
        return fail(Errc::limit, printable(row.path()) + ": does not fit into a message");
      return std::optional(encoder_.finish(false));
    }
    asked_.pop_front();
    next_row_ = kNoEntry;
    cursor_.reset();
  }
  if (encoder_.rows() == 0) return std::nullopt;
  return std::optional(encoder_.finish(false));
}

Row AskedRows::row_of(EntryIndex entry, DirectoryIndex directory) {
  const Snapshot::View view = rows_.view(entry, directory);
  Row row;
  row.location = view.location;
  row.name = view.name;
  row.id = entry;
  row.values = view.values;
  row.target = view.target;
  row.doubt = (view.flags & kFlagDoubt) != 0;
  if (view.values.kind != Kind::file) return row;
  row.origin = origins_.find(entry);
  if (row.doubt) return row;
  // When this scan's base could not be written, the index has the stat of an earlier sync: it counts only if
  // it is the scanned one.
  index::Record record;
  const bool known = cursor_->find(view.name, record) == index::Index::Cursor::Found::yes;
  const Seen scanned{.values = view.values, .device = view.device, .inode = view.inode};
  const bool is_of_this_scan = known && same_content(record.held, scanned, fs::StableInodes::yes);
  if (is_of_this_scan && !record.racy) row.checksum = record.checksum;
  return row;
}

}  // namespace ssync::source
