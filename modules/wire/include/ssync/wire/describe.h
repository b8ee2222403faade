// Messages in words, for tap records and logs: what a person wants to see, never a secret (session ids, tags)
// and never content. Everything is escaped, one line each, and bounded as in tap.h.
#pragma once

#include <string>
#include <vector>

#include "ssync/wire/data.h"
#include "ssync/wire/messages.h"
#include "ssync/wire/tap.h"

namespace ssync::wire {

/// One line: "number 3, 4096 rows, last", "delete=yes dry-run=no".
[[nodiscard]] std::string summary_of(const Request& request);
[[nodiscard]] std::string summary_of(const Reply& reply);
[[nodiscard]] std::string summary_of(const DataHead& head);

/// The first kTapDetailsMax rows (segments, notes), one line each. The others are not looked at, so the cost
/// is bounded too.
[[nodiscard]] std::vector<std::string> details_of(const Request& request);
[[nodiscard]] std::vector<std::string> details_of(const Reply& reply);
[[nodiscard]] std::vector<std::string> details_of(const DataHead& head);

}  // namespace ssync::wire
