// How msgpack-c's parser is run: its outcome as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <msgpack.hpp>

#include "ssync/base/result.h"

namespace ssync::wire {

/// Base of our visitors. msgpack's parser reports through these what stopped it.
struct Visitor : msgpack::null_visitor {
  enum class Outcome : std::uint8_t { whole, cut_short, no_msgpack };
  Outcome outcome = Outcome::whole;
  void insufficient_bytes(std::size_t /*parsed*/, std::size_t /*error*/) noexcept {
    outcome = Outcome::cut_short;
  }
  void parse_error(std::size_t /*parsed*/, std::size_t /*error*/) noexcept { outcome = Outcome::no_msgpack; }
  [[nodiscard]] static std::string_view view(const char* bytes, std::uint32_t size) noexcept {
    // The parser's pointer means nothing when there are no bytes.
    return size == 0 ? std::string_view() : std::string_view(bytes, size);
  }
};

/// Runs `visitor` over all of `bytes`, which hold exactly one value. When the visitor stopped it, its own
/// `stopped` (a Result<void>) says why.
template <typename V>
[[nodiscard]] Result<void> visit(std::span<const std::byte> bytes, V& visitor) {
  std::size_t offset = 0;
  const bool parsed =
      msgpack::parse(reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset, visitor);
  if (!visitor.stopped) return std::move(visitor.stopped);
  if (visitor.outcome == Visitor::Outcome::cut_short)
    return fail(Errc::protocol, "ends in the middle of a value");
  if (!parsed) return fail(Errc::protocol, "is no msgpack");
  if (offset != bytes.size()) return fail(Errc::protocol, "has bytes after its end");
  return {};
}

}  // namespace ssync::wire
