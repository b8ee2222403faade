#include "hex.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "ssync/base/text.h"

namespace ssync::wire::test {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kMark = "hex:";

Json with_hex(const Json& value) {
  if (value.is_binary()) return std::string(kMark) + to_hex(std::as_bytes(std::span(value.get_binary())));
  if (!value.is_structured()) return value;
  Json out = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, item] : value.items()) {
    if (value.is_array()) {
      out.push_back(with_hex(item));
    } else {
      out[key] = with_hex(item);
    }
  }
  return out;
}

Json with_bytes(const Json& value) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (!text.starts_with(kMark)) return value;
    const Buffer bytes = buffer_of_hex(std::string_view(text).substr(kMark.size()));
    std::vector<std::uint8_t> raw;
    for (const std::byte byte : bytes.bytes())
      raw.push_back(static_cast<std::uint8_t>(byte));
    return Json::binary(std::move(raw));
  }
  if (!value.is_structured()) return value;
  Json out = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, item] : value.items()) {
    if (value.is_array()) {
      out.push_back(with_bytes(item));
    } else {
      out[key] = with_bytes(item);
    }
  }
  return out;
}

}  // namespace

std::string hex(std::span<const std::byte> bytes) {
  return to_hex(bytes);
}

std::string short_hex(std::string_view hex) {
  std::string out;
  while (!hex.empty()) {
    const std::string_view byte = hex.substr(0, 2);
    std::size_t end = 2;
    while (hex.substr(end, 2) == byte)
      end += 2;
    const std::size_t count = end / 2;
    if (count < 32) end = 2;
    out += count < 32 ? std::string(byte) : "(" + std::string(byte) + "*" + std::to_string(count) + ")";
    hex.remove_prefix(end);
  }
  return out;
}

Buffer buffer_of_hex(std::string_view hex) {
  std::string digits;
  while (!hex.empty()) {
    const std::size_t open = std::min(hex.find('('), hex.size());
    digits += hex.substr(0, open);
    hex.remove_prefix(open);
    if (hex.empty()) break;
    const std::size_t close = hex.find(')');
    if (close == std::string_view::npos || close < 5) throw std::invalid_argument("a run is (hh*count)");
    for (auto left = std::stoul(std::string(hex.substr(4, close - 4))); left > 0; --left)
      digits += hex.substr(1, 2);
    hex.remove_prefix(close + 1);
  }
  const auto bytes = from_hex(digits);
  if (!bytes) throw std::invalid_argument("no hexadecimal digits");
  return Buffer::copy_of(*bytes);
}

Json readable(std::span<const std::byte> msgpack) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(msgpack.data());
  return with_hex(Json::from_msgpack(first, first + msgpack.size()));
}

Buffer msgpack_of(const Json& readable) {
  const std::vector<std::uint8_t> bytes = Json::to_msgpack(with_bytes(readable));
  return Buffer::copy_of(std::as_bytes(std::span(bytes)));
}

}  // namespace ssync::wire::test
