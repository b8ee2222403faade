#include "text.h"

namespace ssync::wire {
namespace {

constexpr unsigned byte_at(std::string_view bytes, std::size_t i) noexcept {
  return static_cast<unsigned char>(bytes[i]);
}

constexpr bool is_continuation(unsigned byte) noexcept {
  return (byte & 0xC0U) == 0x80U;
}

// Length of the character at the front, 0 when there is none.
std::size_t character_bytes(std::string_view bytes) noexcept {
  const unsigned first = byte_at(bytes, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (bytes.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(byte_at(bytes, i))) return 0;
  }
  const unsigned second = byte_at(bytes, 1);
  if (first == 0xE0 && second < 0xA0) return 0;  // overlong
  if (first == 0xED && second > 0x9F) return 0;  // surrogate
  if (first == 0xF0 && second < 0x90) return 0;  // overlong
  if (first == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
  return size;
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t size = character_bytes(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string_view cut(std::string_view text, std::size_t max_bytes) noexcept {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && is_continuation(byte_at(text, end)))
    --end;
  return text.substr(0, end);
}

std::string fit_text(std::string_view bytes, std::size_t max_bytes) {
  if (is_utf8(bytes)) return std::string(cut(bytes, max_bytes));
  std::string out;
  while (!bytes.empty() && out.size() < max_bytes) {
    const std::size_t size = character_bytes(bytes);
    if (size == 0) {
      out += '?';
    } else {
      out += bytes.substr(0, size);
    }
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return std::string(cut(out, max_bytes));
}

}  // namespace ssync::wire
