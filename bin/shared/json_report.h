// Values as JSON, the same in both programs. Names that are not UTF-8 are escaped, as in all printed text.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "ssync/model/change.h"
#include "ssync/model/entry.h"

namespace ssync::programs {

/// "2026-01-31T12:34:56.123456Z", now.
[[nodiscard]] std::string utc_now();
/// {"event": name, "time": …} and `fields`, one line.
[[nodiscard]] std::string event_line(std::string_view name, const nlohmann::json& fields);
[[nodiscard]] nlohmann::json to_json(const PlanTotals& totals);
[[nodiscard]] nlohmann::json to_json(const SyncStats& stats);
[[nodiscard]] nlohmann::json to_json(const Problem& problem);

}  // namespace ssync::programs
