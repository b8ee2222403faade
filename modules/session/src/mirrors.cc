#include "mirrors.h"

#include <string_view>
#include <utility>

#include "ssync/base/assert.h"

namespace ssync::session::server {
namespace {

constexpr std::size_t kNamesShown = 20;
constexpr std::size_t kRoomForCount = 48;  // "there are: ", and ", and 18446744073709551615 more"
constexpr std::string_view kNameless = "one without a name";

std::string quoted(const std::string& name) {
  return name.empty() ? "without a name" : "'" + name + "'";
}

}  // namespace

std::vector<std::string> MirrorTable::set(std::vector<OfferedMirror> mirrors) {
  std::map<std::string, std::string> before = std::exchange(comments_, {});
  for (OfferedMirror& mirror : mirrors) {
    SSYNC_ASSERT(wire::broken_mirror_name_rule(mirror.name) == nullptr);
    before.erase(mirror.name);
    const bool is_new = comments_.emplace(std::move(mirror.name), std::move(mirror.comment)).second;
    SSYNC_ASSERT(is_new);
  }
  std::vector<std::string> gone;
  gone.reserve(before.size());
  for (const auto& [name, comment] : before)
    gone.push_back(name);
  return gone;
}

std::string MirrorTable::unknown_text(const std::string& name, const May& may) const {
  std::string text = "there is no mirror " + quoted(name) + " here; ";
  const std::string names = names_text(wire::kTextBytesMax - text.size() - kRoomForCount, may);
  if (names.empty()) return text + "there are none";
  if (names == kNameless) return text + "there is only one, without a name";
  return text + "there are: " + names;
}

std::string MirrorTable::names_text(std::size_t room, const May& may) const {
  std::string names;
  std::size_t shown = 0;
  std::size_t all = 0;
  bool has_room = true;
  for (const auto& [name, comment] : comments_) {
    if (may && !may(name)) continue;
    ++all;
    const std::string next = (shown == 0 ? "" : ", ") + (name.empty() ? std::string(kNameless) : name);
    has_room = has_room && shown < kNamesShown && names.size() + next.size() <= room;
    if (!has_room) continue;
    names += next;
    ++shown;
  }
  if (shown < all) names += ", and " + std::to_string(all - shown) + " more";
  return names;
}

wire::Mirrors MirrorTable::page(const std::string& after, const May& may) const {
  wire::Mirrors page;
  auto next = after.empty() ? comments_.begin() : comments_.upper_bound(after);
  for (; next != comments_.end(); ++next) {
    if (may && !may(next->first)) continue;
    page.more = page.rows.size() == wire::kMirrorRowsMax;
    if (page.more) break;
    page.rows.push_back({next->first, next->second});
  }
  return page;
}

}  // namespace ssync::session::server
