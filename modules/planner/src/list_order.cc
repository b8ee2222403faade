#include "list_order.h"

#include <utility>

#include "ssync/base/text.h"
#include "ssync/model/entry_rules.h"

namespace ssync::planner {

tl::unexpected<Error> ListOrder::broken(std::string_view path, std::string_view rule) const {
  std::string text = list_ + ": '" + escape(path) + "': ";
  text += rule;
  return fail(code_, std::move(text));
}

Result<void> ListOrder::add_root(PathView path, Kind kind) {
  if (!path.location.empty() || !path.name.empty()) return broken(join(path), "the root must come first");
  if (kind != Kind::directory) return broken(".", "the root must be a directory");
  levels_.emplace_back();
  return {};
}

// True when `name` is among the directories that were not entered yet; it and those before it are used up
// then.
bool ListOrder::take_name(Level& level, std::string_view name) {
  while (level.next < level.names.size()) {
    const auto length = static_cast<unsigned char>(level.names[level.next]);
    const std::string_view listed = std::string_view(level.names).substr(level.next + 1, length);
    if (name < listed) return false;
    level.next += 1U + length;
    if (name == listed) return true;
  }
  return false;
}

Result<void> ListOrder::enter(std::string_view location) {
  if (location.empty()) return broken(location, "out of order");
  // split() also takes "/a" apart, into a root and an "a" that may well be listed.
  if (location.front() == '/') return broken(location, "begins with '/'");
  const PathView path = split(location);
  while (levels_.back().location_bytes > path.location.size())
    levels_.pop_back();
  Level& parent = levels_.back();
  if (std::string_view(path_).substr(0, parent.location_bytes) != path.location ||
      !take_name(parent, path.name)) {
    return broken(location, "has rows inside, but is no directory listed before them in order");
  }
  if (levels_.size() > kDepthMax) return broken(location, "is more than 4096 levels deep");
  path_.assign(location);
  any_ = false;
  levels_.push_back(Level{location.size(), {}, 0});
  return {};
}

Result<void> ListOrder::add(std::string_view name, Kind kind) {
  const auto refuse = [&](std::string_view rule) { return broken(join({path_, name}), rule); };
  if (const char* rule = broken_path_rule({path_, name})) return refuse(rule);
  if (any_ && name <= last_) return refuse(name == last_ ? "listed twice" : "out of order");
  last_.assign(name);
  any_ = true;
  if (kind == Kind::directory) {
    std::string& names = levels_.back().names;
    names.push_back(static_cast<char>(static_cast<unsigned char>(name.size())));
    names.append(name);
  }
  return {};
}

}  // namespace ssync::planner
