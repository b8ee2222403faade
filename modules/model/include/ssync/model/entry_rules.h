// What an entry must be for both ends to deal with it. One set of rules: a scan makes a Problem of what
// breaks one, so that nothing that a file system answers can end a sync; messages and the planner refuse it,
// as no peer may send it. proto-spec/01 §4, §5 and 03 §1.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ssync/model/entry.h"
#include "ssync/model/path.h"

namespace ssync {

inline constexpr std::uint32_t kTimeNsMax = 999'999'999;
inline constexpr std::uint64_t kSizeMax = ~std::uint64_t{0} >> 1U;
inline constexpr std::uint16_t kModeMax = 07777;
inline constexpr std::size_t kTargetBytesMax = 64 * 1024;

[[nodiscard]] constexpr bool is_kind(Kind kind) noexcept {
  return kind >= Kind::file && kind <= Kind::special;
}

/// The rule that a name breaks, as words that follow it ("is longer than 255 bytes"); nullptr: none.
[[nodiscard]] const char* broken_name_rule(std::string_view name) noexcept;
/// The rule that an entry's path breaks, given that its location breaks none; words as above.
[[nodiscard]] const char* broken_path_rule(PathView path) noexcept;
/// The rule that an entry's values and link target break; words as above. `target` is empty for all but
/// links.
[[nodiscard]] const char* broken_values_rule(const Values& values, std::string_view target) noexcept;
/// Whether a directory may have entries, as far as depth goes: its own path has one component more than the
/// location that it is in.
[[nodiscard]] constexpr bool may_have_entries(std::size_t location_depth) noexcept {
  return location_depth < kDepthMax;
}

}  // namespace ssync
