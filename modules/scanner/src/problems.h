// What a scan says of paths that it cannot take in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/index/index.h"
#include "ssync/model/entry.h"
#include "ssync/model/path.h"
#include "ssync/model/problem.h"

namespace ssync::scanner {

/// `operation: what the system said`, without the path.
[[nodiscard]] std::string text_of(std::string_view operation, const Error& error);

/// The entry is there, and nothing can be known of it, nor of what is below. `sys_errno`: 0 without one.
[[nodiscard]] Problem unreadable_problem(PathView path, std::string text, int sys_errno);

/// The name breaks `rule`, so no row can carry it: the problem has as much of it as a path may have.
[[nodiscard]] Problem unlistable_problem(std::string_view location, std::string_view name,
                                         std::string_view rule);

/// Why an entry cannot be taken in as its file system describes it, with what helps. nullopt: it can. On a
/// mirror a time may be anything, because it will be set right: an impossible one becomes the nearest
/// possible.
[[nodiscard]] std::optional<std::string> broken_rule(ScannedEntry& entry, index::Role role);

}  // namespace ssync::scanner
