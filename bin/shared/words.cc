#include "words.h"

#include <time.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::programs {
namespace {

constexpr std::size_t kClientNameBytesMax = 64;
constexpr std::chrono::seconds kLongest = std::chrono::hours(24) * 3652;

std::int64_t seconds_of(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  return unit == "d" ? 86400 : 0;
}

constexpr std::string_view kUnits = "KMGTP";

/// Of "K", "KiB", "KB" and so on, in capitals or not; 0: there is no such unit.
double bytes_of_unit(std::string_view unit) {
  if (unit.empty()) return 1;
  const std::size_t power = kUnits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(unit[0]))));
  if (power == std::string_view::npos) return unit == "B" || unit == "b" ? 1 : 0;
  std::string rest(unit.substr(1));
  std::ranges::transform(rest, rest.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!rest.empty() && rest != "b" && rest != "ib") return 0;
  return std::pow(rest == "b" ? 1000.0 : 1024.0, static_cast<double>(power + 1));
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    if (!one.empty()) out.emplace_back(one);
  }
  return out;
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::int64_t unit = seconds_of(std::string_view(stop, static_cast<std::size_t>(end - stop)));
  if (error != std::errc() || unit == 0 || number < 1 || number > kLongest.count() / unit) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is no time: write 90s, 15m, 2h or 7d", escape(text)));
  }
  return std::chrono::seconds(number * unit);
}

std::string text_of(std::chrono::seconds duration) {
  for (const char* unit : {"d", "h", "m"}) {
    const std::int64_t seconds = seconds_of(unit);
    if (duration.count() % seconds == 0) return fmt::format("{}{}", duration.count() / seconds, unit);
  }
  return fmt::format("{}s", duration.count());
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr double kMost = 1e18;  // what a file can have, and what a double still counts in whole blocks
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view digits = text.substr(0, unit_at);
  const double unit = bytes_of_unit(text.substr(unit_at));
  std::uint64_t whole = 0;
  const char* const end = digits.data() + digits.size();
  if (const auto [stop, error] = std::from_chars(digits.data(), end, whole);
      error == std::errc() && stop == end && unit > 0 && static_cast<double>(whole) * unit <= kMost)
    return whole * static_cast<std::uint64_t>(unit);
  double number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error == std::errc() && stop == end && unit > 0 && number * unit <= kMost)
    return static_cast<std::uint64_t>(number * unit);
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is no size: write 1000, 10K, 1.5G, 2TB", escape(text)));
}

std::string text_of_size(std::uint64_t bytes) {
  std::string_view unit;
  for (std::size_t i = 0; i < kUnits.size() && bytes > 0 && bytes % 1024 == 0; ++i) {
    bytes /= 1024;
    unit = kUnits.substr(i, 1);
  }
  return fmt::format("{}{}", bytes, unit);
}

Result<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
  const std::string whole(text);
  for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
    tm parts{};
    const char* const end = ::strptime(whole.c_str(), form, &parts);
    if (end == nullptr || *end != '\0' || end != whole.c_str() + whole.size()) continue;
    // What a system_clock of nanoseconds can count.
    const int year = parts.tm_year + 1900;
    if (year < 1970 || year > 2261)
      return fail(Errc::invalid_argument,
                  fmt::format("'{}' is no time: the year must be between 1970 and 2261", escape(text)));
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
  }
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is no time: write 2027-01-31T12:00:00Z (UTC) or 2027-01-31", escape(text)));
}

std::string text_of(std::chrono::system_clock::time_point time) {
  const time_t seconds = std::chrono::system_clock::to_time_t(time);
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Result<void> check_client_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kClientNameBytesMax && name.front() != '.' &&
                    std::ranges::all_of(name, is_name_character);
  if (good) return {};
  return fail(
      Errc::invalid_argument,
      fmt::format("'{}' cannot be a client's name: letters, digits, '.', '_' and '-', at most {}, and "
                  "not '.' first",
                  escape(name), kClientNameBytesMax));
}

}  // namespace ssync::programs
