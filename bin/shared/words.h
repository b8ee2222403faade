// Small forms of text that several options have.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"

namespace ssync::programs {

/// "a, b,c" as its parts, without the blanks around them; empty ones are left out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// "90", "90s", "15m", "2h", "7d": at least a second, at most ten years. Errors: Errc::invalid_argument.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// "15m": in the largest unit that fits.
[[nodiscard]] std::string text_of(std::chrono::seconds duration);

/// "2027-01-31T12:00:00Z", or the day alone, which begins at midnight; UTC. Errors: Errc::invalid_argument.
[[nodiscard]] Result<std::chrono::system_clock::time_point> parse_time(std::string_view text);
[[nodiscard]] std::string text_of(std::chrono::system_clock::time_point time);

/// rsync's sizes: "1000", "10K", "1.5G" (K to P: powers of 1024; also KiB), "20GB" (powers of 1000). Errors:
/// Errc::invalid_argument.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
/// "10G": in the largest unit that fits, so that parse_size() gives the same.
[[nodiscard]] std::string text_of_size(std::uint64_t bytes);

/// A client's name is a file's too: letters, digits, '.', '_' and '-', at most 64, not '.' first. Errors:
/// Errc::invalid_argument.
[[nodiscard]] Result<void> check_client_name(std::string_view name);

}  // namespace ssync::programs
