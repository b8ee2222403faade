// Names in lower case: what a file system that folds case takes for one name.
#include <clocale>
#include <cwctype>

#include "state.h"

namespace ssync::planner {
namespace {

struct Letter {
  char32_t code = 0;  ///< 0 for a byte that is no UTF-8
  std::size_t bytes = 1;
};

Letter letter_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + bytes > text.size()) return {};
  char32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80) return {};
    code = code << 6U | (byte(at + i) & 0x3fU);
  }
  return {code, bytes};
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  const unsigned followers = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned kMarks[] = {0, 0xc0, 0xe0, 0xf0};
  put(kMarks[followers] | code >> (6U * followers));
  for (unsigned left = followers; left-- > 0;)
    put(0x80U | (code >> (6U * left) & 0x3fU));
}

}  // namespace

std::string fold_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string fold_widely(std::string_view name) {
  static const locale_t letters = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string lower;
  lower.reserve(name.size());
  for (std::size_t at = 0; at < name.size();) {
    const Letter letter = letter_at(name, at);
    if (letter.code < 0x80 || letters == nullptr) {
      lower += fold_case(name.substr(at, letter.bytes));
    } else {
      append_utf8(lower, static_cast<char32_t>(::towlower_l(static_cast<wint_t>(letter.code), letters)));
    }
    at += letter.bytes;
  }
  return lower;
}

}  // namespace ssync::planner
