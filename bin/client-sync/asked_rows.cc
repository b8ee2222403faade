#include "asked_rows.h"

#include <algorithm>

#include <fmt/format.h>

namespace ssync::client_program {
namespace {

// Evidence is optional: beyond this it is not kept, and such files are looked for by content.
constexpr std::size_t kNamesBytesMax = std::size_t{1} << 31U;

}  // namespace

void AskedRows::keep(EntryIndex row, const Origin& origin) {
  if (names_.size() >= kNamesBytesMax) return;
  if (locations_.empty() || locations_.back() != origin.location) locations_.emplace_back(origin.location);
  origins_.push_back({row, static_cast<std::uint32_t>(locations_.size() - 1),
                      static_cast<std::uint32_t>(names_.size()),
                      static_cast<std::uint8_t>(origin.name.size()), origin.proven, origin.checksum});
  names_.append(origin.name);
}

Result<void> AskedRows::ask(const wire::ListingRow& listing) {
  const bool listed = listing.directory >= next_directory_ && listing.directory < rows_.directories() &&
                      rows_.location(static_cast<DirectoryIndex>(listing.directory)) == listing.location;
  if (!listed) {
    return fail(Errc::protocol,
                fmt::format("the server asked for the rows of directory {} ('{}'), which was not listed so",
                            listing.directory, printable(split(listing.location))));
  }
  asked_.push_back(static_cast<DirectoryIndex>(listing.directory));
  next_directory_ = listing.directory + 1;
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
  row.origin = origin_of(entry);
  index::Record record;
  const bool known = cursor_->find(view.name, record) == index::Index::Cursor::Found::yes;
  if (known && !record.racy) row.checksum = record.checksum;
  return row;
}

std::optional<Origin> AskedRows::origin_of(EntryIndex entry) const {
  const auto found = std::lower_bound(origins_.begin(), origins_.end(), entry,
                                      [](const KeptOrigin& kept, EntryIndex row) { return kept.row < row; });
  if (found == origins_.end() || found->row != entry) return std::nullopt;
  return Origin{locations_[found->location], std::string_view(names_).substr(found->name, found->name_bytes),
                found->checksum, found->proven};
}

}  // namespace ssync::client_program
