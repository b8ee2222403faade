// Values as JSON, the same in both programs. Names that are not UTF-8 are escaped, as in all printed text.
#pragma once

#include <cstdint>
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
/// Makes the same line without a tree of values in between: for events that come for every file. Add the
/// fields in the order of their names, as event_line() has them.
class EventLine {
 public:
  explicit EventLine(std::string_view name);
  /// `printable`: as escape() makes it, UTF-8 without control characters.
  void add(std::string_view name, std::string_view printable);
  void add(std::string_view name, std::uint64_t number);
  [[nodiscard]] std::string finish() &&;

 private:
  std::string line_;
};
[[nodiscard]] nlohmann::json to_json(const PlanTotals& totals);
[[nodiscard]] nlohmann::json to_json(const SyncStats& stats);
[[nodiscard]] nlohmann::json to_json(const Problem& problem);

}  // namespace ssync::programs
