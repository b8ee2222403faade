// The names that mirrors have for clients: HOST::NAME.
#pragma once

#include <cstddef>
#include <string_view>

#include "ssync/base/result.h"

namespace ssync::programs {

inline constexpr std::size_t kMirrorNameBytesMax = 255;

/// 1 to kMirrorNameBytesMax bytes of printable UTF-8 without '/' and ':'; not "." or "..", and without a
/// space at either end. Errors: Errc::invalid_argument, with the reason for the rule.
[[nodiscard]] Result<void> check_mirror_name(std::string_view name);

}  // namespace ssync::programs
