#include "mirrors.h"

#include <utility>

#include "ssync/base/assert.h"

namespace ssync::session::server {
namespace {

constexpr std::size_t kNamesShown = 20;
constexpr std::size_t kRoomForCount = 32;  // ", and 18446744073709551615 more"

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

std::string MirrorTable::unknown_text(const std::string& name) const {
  std::string text = "there is no mirror " + quoted(name) + " here; ";
  if (comments_.empty()) return text + "there are none";
  if (comments_.size() == 1 && has("")) return text + "there is only one, without a name";
  text += "there are: ";
  return text + names_text(wire::kTextBytesMax - text.size() - kRoomForCount);
}

std::string MirrorTable::names_text(std::size_t room) const {
  std::string names;
  std::size_t shown = 0;
  for (const auto& [name, comment] : comments_) {
    const std::string next =
        (shown == 0 ? "" : ", ") + (name.empty() ? std::string("one without a name") : name);
    if (shown == kNamesShown || names.size() + next.size() > room) break;
    names += next;
    ++shown;
  }
  if (shown < comments_.size()) names += ", and " + std::to_string(comments_.size() - shown) + " more";
  return names;
}

wire::Mirrors MirrorTable::page(const std::string& after) const {
  wire::Mirrors page;
  auto next = after.empty() ? comments_.begin() : comments_.upper_bound(after);
  for (; next != comments_.end() && page.rows.size() < wire::kMirrorRowsMax; ++next)
    page.rows.push_back({next->first, next->second});
  page.more = next != comments_.end();
  return page;
}

}  // namespace ssync::session::server
