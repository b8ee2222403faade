#include "ssync/model/origins.h"

#include <algorithm>
#include <string_view>

#include "ssync/base/assert.h"

namespace ssync {
namespace {

constexpr std::size_t kNamesBytesMax = std::size_t{1} << 31U;

}  // namespace

void Origins::put(EntryIndex entry, const Origin& origin) {
  SSYNC_ASSERT(kept_.empty() || kept_.back().entry < entry);
  if (origin.name.size() > kNameBytesMax || names_.size() >= kNamesBytesMax) return;
  if (locations_.empty() || locations_.back() != origin.location) locations_.emplace_back(origin.location);
  kept_.push_back({entry, static_cast<std::uint32_t>(locations_.size() - 1),
                   static_cast<std::uint32_t>(names_.size()), static_cast<std::uint8_t>(origin.name.size()),
                   origin.proven, origin.checksum});
  names_.append(origin.name);
}

std::optional<Origin> Origins::find(EntryIndex entry) const {
  const auto found = std::ranges::lower_bound(kept_, entry, {}, &Kept::entry);
  if (found == kept_.end() || found->entry != entry) return std::nullopt;
  return Origin{locations_[found->location], std::string_view(names_).substr(found->name, found->name_bytes),
                found->checksum, found->proven};
}

}  // namespace ssync
