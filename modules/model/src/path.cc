#include "ssync/model/path.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "ssync/base/text.h"
#include "ssync/model/entry_rules.h"

namespace ssync {
namespace {

// How much of a refused path an error text repeats; a peer may send any length.
constexpr std::size_t kShownBytes = 256;

std::string shown(std::string_view path) {
  if (path.size() <= kShownBytes) return escape(path);
  return escape(path.substr(0, kShownBytes)) + "...";
}

// Length of the common prefix.
std::size_t common_bytes(std::string_view a, std::string_view b) noexcept {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t at = 0;
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + sizeof(std::uint64_t) <= limit; at += sizeof(std::uint64_t)) {
      std::uint64_t x = 0;
      std::uint64_t y = 0;
      std::memcpy(&x, a.data() + at, sizeof x);
      std::memcpy(&y, b.data() + at, sizeof y);
      if (x != y) return at + static_cast<std::size_t>(std::countr_zero(x ^ y)) / 8;
    }
  }
  while (at < limit && a[at] == b[at])
    ++at;
  return at;
}

// '/' below every other byte: at the first difference, the path whose component ends there is the ancestor's
// or has the shorter component, and comes first. So bytes in this order are components in order.
unsigned rank(char byte) noexcept {
  return byte == '/' ? 0U : static_cast<unsigned char>(byte) + 1U;
}

}  // namespace

std::strong_ordering compare_locations(std::string_view a, std::string_view b) noexcept {
  const std::size_t at = common_bytes(a, b);
  if (at == a.size() || at == b.size()) return a.size() <=> b.size();
  return rank(a[at]) <=> rank(b[at]);
}

std::strong_ordering compare_rows(PathView a, PathView b) noexcept {
  const std::strong_ordering order = compare_locations(a.location, b.location);
  return order != std::strong_ordering::equal ? order : a.name <=> b.name;
}

Result<void> check_name(std::string_view name) {
  if (const char* rule = broken_name_rule(name)) {
    return fail(Errc::invalid_argument, "name '" + shown(name) + "' " + rule);
  }
  return {};
}

Result<void> check_location(std::string_view location) {
  const auto refuse = [&](const std::string& why) {
    return fail(Errc::invalid_argument, "location '" + shown(location) + "' " + why);
  };
  if (location.empty()) return {};
  if (location.size() > kPathBytesMax) return refuse("is longer than 65536 bytes");
  if (location.front() == '/') return refuse("begins with '/'");
  if (location.back() == '/') return refuse("ends with '/'");
  std::size_t depth = 0;
  for (std::size_t begin = 0; begin < location.size(); ++depth) {
    const std::size_t end = std::min(location.find('/', begin), location.size());
    const std::string_view component = location.substr(begin, end - begin);
    if (const char* rule = broken_name_rule(component)) {
      return refuse("has a component '" + shown(component) + "' that " + rule);
    }
    begin = end + 1;
  }
  if (depth > kDepthMax) return refuse("is deeper than 4096 components");
  return {};
}

Result<void> check_path(PathView path, AllowRoot root) {
  if (path.location.empty() && path.name.empty()) {
    if (root == AllowRoot::yes) return {};
    return fail(Errc::invalid_argument, "path is the root, where an entry below it is needed");
  }
  SSYNC_TRY_VOID(check_location(path.location));
  SSYNC_TRY_VOID(check_name(path.name));
  if (broken_path_rule(path) != nullptr) {
    return fail(Errc::invalid_argument,
                "path '" + shown(path.location) + "' is longer than 65536 bytes with its name");
  }
  return {};
}

std::string join(PathView path) {
  if (path.location.empty()) return std::string(path.name);
  if (path.name.empty()) return std::string(path.location);
  std::string joined;
  joined.reserve(path.location.size() + 1 + path.name.size());
  joined.append(path.location).append(1, '/').append(path.name);
  return joined;
}

PathView split(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool is_at_or_below(std::string_view location, std::string_view ancestor) noexcept {
  if (ancestor.empty()) return true;
  if (!location.starts_with(ancestor)) return false;
  return location.size() == ancestor.size() || location[ancestor.size()] == '/';
}

std::string printable(PathView path) {
  if (path.location.empty() && path.name.empty()) return ".";
  return escape(join(path));
}

}  // namespace ssync
