#include "former_place.h"

#include <utility>

#include "ssync/base/assert.h"
#include "ssync/fs/same.h"
#include "ssync/model/path.h"

namespace ssync::scanner {

FormerPlace::FormerPlace(const index::Index& idx, std::string_view location,
                         std::optional<std::string> was_at)
    : index_(idx), location_(location), was_at_(std::move(was_at)) {}

void FormerPlace::begin() {
  records_.reset();
  if (was_at_) records_.emplace(index_.directory(*was_at_));
}

std::string FormerPlace::location_of(std::string_view name) const {
  SSYNC_ASSERT(was_at_.has_value());
  return join({*was_at_, name});
}

bool FormerPlace::had(std::string_view name, const Seen& seen, index::Record& record) {
  return records_ && records_->find(name, record) == index::Index::Cursor::Found::yes &&
         same_entry(record.held, seen, fs::StableInodes::yes);
}

std::optional<index::InodeHit> FormerPlace::find(std::string_view name, const Seen& seen) {
  index::InodeHit there;
  if (had(name, seen, there.record)) {
    there.location = *was_at_;
    there.name = name;
    return there;
  }
  std::optional<index::InodeHit> hit = index_.find_inode(seen.device, seen.inode);
  // The first one decides.
  if (hit && !records_ && hit->name == name && hit->location != location_) {
    was_at_ = hit->location;
    records_.emplace(index_.directory(hit->location));
  }
  return hit;
}

}  // namespace ssync::scanner
