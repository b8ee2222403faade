// A configuration file (TOML) as plain values, each with the line that it is on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ssync/base/result.h"

namespace ssync::programs {

/// More is no configuration: somebody gave the wrong file. A line is as long as a path, and some: toml++
/// makes a table in a table of each dot in a key, and runs out of stack with some hundred thousand.
inline constexpr std::size_t kConfigBytesMax = 1 << 20;
inline constexpr std::size_t kConfigLineBytesMax = 8192;

struct ConfigItem;
/// In the order of the file.
using ConfigTable = std::vector<ConfigItem>;

/// A value of a type that no setting has: "an array", "a date".
struct OtherValue {
  std::string_view kind;
};

struct ConfigItem {
  std::string key;
  std::uint32_t line = 0;  ///< from 1
  std::variant<bool, std::int64_t, double, std::string, ConfigTable, OtherValue> value;
};

struct ConfigFile {
  std::string path;  ///< as it was given
  ConfigTable items;

  /// "FILE:LINE", escaped.
  [[nodiscard]] std::string place(std::uint32_t line) const;
};

/// Errors: Errc::refused for a path through a link that somebody else could change; an errno for what cannot
/// be read; Errc::limit for more than kConfigBytesMax; parse_config()'s.
[[nodiscard]] Result<ConfigFile> read_config(const std::string& path);

/// A byte order mark, CRLF and tabs are fine. Errors: Errc::invalid_argument, "FILE:LINE:COLUMN: what";
/// Errc::limit for a longer line than kConfigLineBytesMax.
[[nodiscard]] Result<ConfigFile> parse_config(const std::string& path, std::string_view text);

/// The value for people: `text "a"`, `70000`, `true`, `a table`.
[[nodiscard]] std::string describe(const ConfigItem& item);

}  // namespace ssync::programs
