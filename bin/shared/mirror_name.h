// The names that mirrors have for clients: HOST::NAME.
#pragma once

#include <string_view>

#include "ssync/base/result.h"

namespace ssync::programs {

/// A name that people can type and that every peer takes (wire::broken_mirror_name_rule()): 1 to
/// wire::kMirrorNameBytesMax bytes of printable UTF-8 without '/' and ':'; not "." or "..", and without a
/// space at either end. Errors: Errc::invalid_argument, with the reason for the rule.
[[nodiscard]] Result<void> check_mirror_name(std::string_view name);

}  // namespace ssync::programs
