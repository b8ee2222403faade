// A fuzzer's bytes as decisions: what to do next, with which numbers and texts. When they are used up, all
// numbers are 0 and all texts empty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

namespace ssync::support {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* first, std::size_t size) : bytes_(std::as_bytes(std::span(first, size))) {}

  [[nodiscard]] bool is_over() const noexcept { return bytes_.empty(); }
  std::uint8_t byte() noexcept {
    if (bytes_.empty()) return 0;
    const auto out = std::to_integer<std::uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return out;
  }
  /// 0 to `below` - 1, from one byte; `below` is at most 256.
  std::size_t pick(std::size_t below) noexcept { return byte() % below; }
  bool chance(std::size_t of_256) noexcept { return byte() < of_256; }
  /// Mostly a small one, at times any.
  std::uint64_t number() noexcept {
    const std::uint8_t first = byte();
    if (first < 0xF0) return first;
    std::uint64_t out = 0;
    for (int i = 0; i < 8; ++i)
      out = out << 8U | byte();
    return out;
  }
  std::span<const std::byte> bytes(std::size_t most) noexcept {
    const std::size_t wanted = std::size_t{byte()} << 8U | byte();
    const auto out = bytes_.first(std::min({most, wanted, bytes_.size()}));
    bytes_ = bytes_.subspan(out.size());
    return out;
  }
  std::string text(std::size_t most) {
    const std::size_t length = std::min(pick(256), most);
    const auto out = bytes_.first(std::min(length, bytes_.size()));
    bytes_ = bytes_.subspan(out.size());
    return {reinterpret_cast<const char*>(out.data()), out.size()};
  }

 private:
  std::span<const std::byte> bytes_;
};

/// Ends the process, so that the fuzzer keeps the input.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace ssync::support
