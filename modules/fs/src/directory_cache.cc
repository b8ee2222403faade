#include "ssync/fs/directory_cache.h"

#include <algorithm>

namespace ssync::fs {

DirectoryCache::DirectoryCache(Tree& tree)
    : tree_(tree), kept_(std::max(kHandlesMin, tree.worth_keeping(kHandles))) {}

Result<Directory*> DirectoryCache::open(std::string_view location) {
  if (last_ < slots_.size() && slots_[last_].location == location) {
    slots_[last_].used = ++uses_;
    return slots_[last_].handle.get();
  }
  auto slot = std::ranges::find(slots_, location, &Slot::location);
  if (slot == slots_.end()) {
    SSYNC_TRY(std::unique_ptr<Directory> handle, tree_.open(location));
    if (slots_.size() < kept_) {
      slot = slots_.emplace(slots_.end());
    } else {
      slot = std::ranges::min_element(slots_, {}, &Slot::used);
    }
    slot->location = location;
    slot->handle = std::move(handle);
  }
  slot->used = ++uses_;
  last_ = static_cast<std::size_t>(slot - slots_.begin());
  return slot->handle.get();
}

void DirectoryCache::forget(std::string_view location) {
  std::erase_if(slots_, [&](const Slot& slot) { return slot.location == location; });
  last_ = 0;
}

void DirectoryCache::clear() {
  slots_.clear();
  last_ = 0;
}

}  // namespace ssync::fs
