#pragma once

#include <cstdint>
#include <string>

#include "ssync/wire/tap.h"

namespace ssync::monitor {

/// Renders records for people and for programs, noticing what is missing. One thread at a time.
class Renderer {
 public:
  struct Options {
    bool json = false;  ///< one object a line; times in UTC
    int verbosity = 0;  ///< 1: rows as well; 2: also the publisher's `state` records
    bool utc = false;   ///< times of day in UTC instead of local time
  };
  explicit Renderer(Options options) : options_(options) {}
  /// The line over the columns; empty for JSON.
  [[nodiscard]] std::string heading() const;
  /// The lines to print for this record (0 or more, each with its newline): a gap notice first when records
  /// are missing.
  [[nodiscard]] std::string render(const wire::TapRecord& record);

 private:
  [[nodiscard]] std::string notice_gaps(const wire::TapRecord& record);
  [[nodiscard]] std::string notice(const wire::TapRecord& record, const char* event,
                                   std::uint64_t records) const;

  const Options options_;
  std::uint64_t expected_ = 0;  ///< number of the next record; 0 before the first
  std::uint64_t dropped_ = 0;   ///< the publisher's count, as last seen
};

}  // namespace ssync::monitor
