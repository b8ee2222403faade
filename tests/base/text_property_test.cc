#include "ssync/base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ssync {
namespace {

std::string unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "\\#") {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 3)), nullptr, 8));
    i += 4;
  }
  return bytes;
}

/// Any bytes, with those that matter to escape() more frequent than chance makes them.
rc::Gen<std::string> path_bytes() {
  return rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::arbitrary<char>(),
                     rc::gen::element('\\', '#', '0', '1', '\n', '\xE2', '\x80', '\xAE', '\xC3', '\xA4')));
}

RC_GTEST_PROP(TextPropertyTest, EscapeIsReversible, ()) {
  const std::string bytes = *path_bytes();
  RC_ASSERT(unescape(escape(bytes)) == bytes);
}

RC_GTEST_PROP(TextPropertyTest, EscapedTextHasNoControlCharacters, ()) {
  for (const char c : escape(*path_bytes()))
    RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

RC_GTEST_PROP(TextPropertyTest, HexRoundTrips, (const std::vector<std::uint8_t>& numbers)) {
  std::vector<std::byte> bytes;
  for (const std::uint8_t number : numbers)
    bytes.push_back(std::byte{number});
  RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
}

}  // namespace
}  // namespace ssync
