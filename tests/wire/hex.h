// Frames as hexadecimal text and as JSON, by code that shares nothing with the codec under test.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "ssync/base/buffer.h"

namespace ssync::wire::test {

[[nodiscard]] std::string hex(std::span<const std::byte> bytes);
/// hex() with runs of 32 equal bytes or more as "(00*65793)".
[[nodiscard]] std::string short_hex(std::string_view hex);
/// Either form. Throws std::invalid_argument.
[[nodiscard]] Buffer buffer_of_hex(std::string_view hex);

/// msgpack <-> JSON by nlohmann. In the JSON form, a byte string is "hex:6162" and a text is itself.
[[nodiscard]] nlohmann::ordered_json readable(std::span<const std::byte> msgpack);
[[nodiscard]] Buffer msgpack_of(const nlohmann::ordered_json& readable);

}  // namespace ssync::wire::test
