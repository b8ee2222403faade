// Paths below a root. A path is a location (the directory, components joined by '/', empty for the root
// itself) and a name (one component). Names are bytes: any value but NUL and '/', no encoding is assumed.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "ssync/base/result.h"

namespace ssync {

/// Limits on what a peer, a disk or a user may name. proto-spec/01 §5.
inline constexpr std::size_t kNameBytesMax = 255;
inline constexpr std::size_t kPathBytesMax = 64 * 1024;
inline constexpr std::size_t kDepthMax = 4096;

/// One path as two views. The root is the only path whose location and name are both empty; it sorts first.
struct PathView {
  std::string_view location;
  std::string_view name;
  friend bool operator==(const PathView&, const PathView&) = default;
};

/// Order of locations: component by component, raw bytes, so that a directory's descendants follow it at once
/// ("a" < "a/b" < "a-b"). Any bytes are accepted; validity is check_location()'s business.
[[nodiscard]] std::strong_ordering compare_locations(std::string_view a, std::string_view b) noexcept;

/// Order of rows in lists, snapshots and the index: by location, then by name (raw bytes). A directory's rows
/// are contiguous, and a directory's own row comes before every row inside it.
[[nodiscard]] std::strong_ordering compare_rows(PathView a, PathView b) noexcept;

/// Errors: Errc::invalid_argument naming the rule that was broken (empty, ".", "..", NUL, '/', too long).
[[nodiscard]] Result<void> check_name(std::string_view name);
/// "" is valid. No leading, trailing or doubled '/'; each component as check_name(); limits above.
[[nodiscard]] Result<void> check_location(std::string_view location);
/// Both parts and the total length. The root (both empty) is valid only when `root` says so.
enum class AllowRoot : bool { no, yes };
[[nodiscard]] Result<void> check_path(PathView path, AllowRoot root);

/// "location/name", "name" when location is empty, "" for the root. For opening and comparing; escape()
/// before printing.
[[nodiscard]] std::string join(PathView path);
/// The inverse of join().
[[nodiscard]] PathView split(std::string_view path) noexcept;
/// True when `location` is `ancestor` or inside it. Everything is inside "".
[[nodiscard]] bool is_at_or_below(std::string_view location, std::string_view ancestor) noexcept;
/// For messages: the joined path, escaped, or "." for the root.
[[nodiscard]] std::string printable(PathView path);

}  // namespace ssync
