#include "ssync/base/text.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "ssync/base/assert.h"

namespace ssync {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t size_bytes = 0;  ///< 0: not valid UTF-8 here
};

/// The code point at the start of `bytes` (not empty). Source: RFC 3629 §4, which leaves no overlong forms
/// and no surrogates.
CodePoint decode(std::string_view bytes) {
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte_at(0);
  if (first < 0x80) return {first, 1};
  std::size_t size = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    size = 2, value = first & 0x1FU, smallest = 0x80;
  } else if (first >= 0xE0 && first <= 0xEF) {
    size = 3, value = first & 0x0FU, smallest = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    size = 4, value = first & 0x07U, smallest = 0x10000;
  }
  if (size == 0 || bytes.size() < size) return {};
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(i) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (byte_at(i) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || surrogate) return {};
  return {value, size};
}

/// Nothing that moves the cursor, hides, breaks the line or turns the direction of text.
bool printable(char32_t c) {
  struct Range {
    char32_t first;
    char32_t last;
  };
  static constexpr std::array<Range, 13> kInvisible = {{
      {0x00, 0x1F},        // C0 controls
      {0x7F, 0x9F},        // DEL, C1 controls
      {0xAD, 0xAD},        // soft hyphen
      {0x061C, 0x061C},    // Arabic letter mark
      {0x180E, 0x180E},    // Mongolian vowel separator
      {0x200B, 0x200F},    // zero-width characters, direction marks
      {0x2028, 0x202E},    // line and paragraph separator, direction embedding and override
      {0x2060, 0x206F},    // invisible operators, direction isolates
      {0xFDD0, 0xFDEF},    // noncharacters
      {0xFEFF, 0xFEFF},    // byte order mark
      {0xFFF0, 0xFFFB},    // interlinear annotation and unassigned specials
      {0xFFFE, 0xFFFF},    // noncharacters
      {0xE0000, 0xE0FFF},  // tags
  }};
  for (const Range& range : kInvisible) {
    if (c >= range.first && c <= range.last) return false;
  }
  return true;
}

void append_octal(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += "\\#";
  for (const unsigned shift : {6U, 3U, 0U})
    out += static_cast<char>('0' + ((value >> shift) & 7U));
}

std::optional<unsigned> digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// What stays as it is whatever stands around it.
bool plain(char c) {
  return c >= 0x20 && c < 0x7F && c != '\\';
}

/// `reversible`: what looks like an escape already is escaped too.
std::string escape_with(std::string_view bytes, bool reversible) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    std::size_t end = i;
    while (end < bytes.size() && plain(bytes[end]))
      ++end;
    out += bytes.substr(i, end - i);
    i = end;
    if (i == bytes.size()) break;
    const std::string_view rest = bytes.substr(i);
    const CodePoint next = decode(rest);
    const std::size_t size = next.size_bytes == 0 ? 1 : next.size_bytes;
    const bool looks_escaped = reversible && rest.starts_with("\\#");
    if (next.size_bytes != 0 && printable(next.value) && !looks_escaped) {
      out += rest.substr(0, size);
    } else {
      for (const char byte : rest.substr(0, size))
        append_octal(out, byte);
    }
    i += size;
  }
  return out;
}

std::string normal_name(std::string_view name) {
  std::string normal(name);
  for (char& c : normal) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return normal;
}

/// Levenshtein's distance in bytes, row by row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

bool has_dashed_part(std::string_view name, std::string_view part) {
  const std::string dashed = "-" + std::string(name) + "-";
  return !part.empty() && dashed.find("-" + std::string(part) + "-") != std::string::npos;
}

}  // namespace

std::string escape(std::string_view bytes) {
  return escape_with(bytes, true);
}

std::string escape_text(std::string_view text) {
  return escape_with(text, false);
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  // Whole and fraction are kept apart so that 2^64 - 1 needs no wider type.
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    const unsigned shift = 10 * (static_cast<unsigned>(i) + 1);
    std::uint64_t whole = bytes >> shift;
    // The ten bits below the unit decide the tenth.
    const std::uint64_t fraction = (bytes >> (shift - 10)) & 1023U;
    std::uint64_t tenths = (fraction * 10 + 512) / 1024;
    if (tenths == 10) {
      ++whole;
      tenths = 0;
    }
    if (whole < 1024 || i + 1 == kUnits.size()) {
      return std::to_string(whole) + "." + std::to_string(tenths) + " " + std::string(kUnits[i]);
    }
  }
  SSYNC_ASSERT(false);
}

std::string with_commas(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (std::size_t end = out.size(); end > 3; end -= 3)
    out.insert(end - 3, 1, ',');
  return out;
}

std::string to_hex(std::span<const std::byte> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    out += kDigits[value >> 4U];
    out += kDigits[value & 15U];
  }
  return out;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = digit_value(text[i]);
    const auto low = digit_value(text[i + 1]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<std::byte>(*high << 4U | *low));
  }
  return out;
}

std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t kWordMax = 64;  // nobody means a name by more
  if (word.size() > kWordMax) return std::nullopt;
  const std::string wanted = normal_name(word);
  std::size_t best = std::max<std::size_t>(wanted.size() / 3, 1) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, normal_name(candidate));
    if (distance >= best) continue;
    best = distance;
    found = candidate;
  }
  if (found) return found;
  const auto has_part = [&](const std::string& candidate) { return has_dashed_part(candidate, wanted); };
  const auto first = std::find_if(candidates.begin(), candidates.end(), has_part);
  if (first == candidates.end()) return std::nullopt;
  return *first;
}

}  // namespace ssync
