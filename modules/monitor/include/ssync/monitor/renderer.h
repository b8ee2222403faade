#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "ssync/wire/tap.h"

namespace ssync::monitor {

/// Renders records for people and for programs, noticing what is missing. One thread at a time.
class Renderer {
 public:
  struct Options {
    bool json = false;  ///< one object a line; times in UTC
    int verbosity = 0;  ///< 1: rows as well; 2: also the publisher's `state` records
    bool utc = false;   ///< times of day in UTC instead of local time
    /// Only records of this mirror; empty: the one without a name. nullopt: of all, and of none.
    std::optional<std::string> mirror{};
    std::optional<std::uint64_t> session{};  ///< only records of this sync; nullopt: as above
  };
  explicit Renderer(Options options) : options_(std::move(options)) {}
  /// The line over the columns; empty for JSON.
  [[nodiscard]] std::string heading() const;
  /// The record is of the mirror and the sync that were asked for. Those of kind state are of all.
  [[nodiscard]] bool selects(const wire::TapRecord& record) const;
  /// The lines to print for this record (0 or more, each with its newline): a gap notice first when records
  /// are missing, of whatever mirror. To be called for all records, also for those that are not selected.
  [[nodiscard]] std::string render(const wire::TapRecord& record);

 private:
  [[nodiscard]] std::string whose(const wire::TapRecord& record);
  [[nodiscard]] std::string notice_gaps(const wire::TapRecord& record);
  [[nodiscard]] std::string notice(const wire::TapRecord& record, const char* event,
                                   std::uint64_t records) const;

  const Options options_;
  std::uint64_t expected_ = 0;  ///< number of the next record; 0 before the first
  bool has_names_ = false;      ///< a mirror with a name was shown
  std::uint64_t dropped_ = 0;   ///< the publisher's count, as last seen
};

}  // namespace ssync::monitor
