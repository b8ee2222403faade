// Little-endian numbers and LEB128 varints in a byte buffer: the alphabet of the index files.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ssync::index {

using ByteSpan = std::span<const std::uint8_t>;

template <typename T>
inline T to_little(T value) noexcept {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (std::endian::native == std::endian::little || sizeof(T) == 1) {
    return value;
  } else {
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      swapped = static_cast<T>((swapped << 8) | ((value >> (8 * i)) & 0xff));
    return swapped;
  }
}

/// Requires: sizeof(T) bytes at `from`.
template <typename T>
inline T load_le(const std::uint8_t* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return to_little(value);
}

/// Requires: sizeof(T) bytes at `into`.
template <typename T>
inline void store_le(std::uint8_t* into, T value) noexcept {
  value = to_little(value);
  std::memcpy(into, &value, sizeof(T));
}

/// A small difference of either sign as a small number. Differences wrap, so any two values have one.
constexpr std::uint64_t zigzag(std::uint64_t difference) noexcept {
  return (difference << 1) ^ (0 - (difference >> 63));
}
constexpr std::uint64_t unzigzag(std::uint64_t coded) noexcept {
  return (coded >> 1) ^ (0 - (coded & 1));
}

/// Grows at the end; clear() keeps the memory. Writing asks for room once and then stores without checks.
class Out {
 public:
  /// Room for `more` bytes: at most so many may be put before the next ensure().
  void ensure(std::size_t more) {
    if (bytes_.size() - used_ < more) bytes_.resize(std::max(bytes_.size() * 2, used_ + more));
  }
  void u8(std::uint8_t value) noexcept { bytes_[used_++] = value; }
  template <typename T>
  void fixed(T value) noexcept {
    store_le(bytes_.data() + used_, value);
    used_ += sizeof(T);
  }
  void varint(std::uint64_t value) noexcept {
    std::uint8_t* at = bytes_.data() + used_;
    while (value >= 0x80) {
      *at++ = static_cast<std::uint8_t>(value | 0x80);
      value >>= 7;
    }
    *at++ = static_cast<std::uint8_t>(value);
    used_ = static_cast<std::size_t>(at - bytes_.data());
  }
  void raw(const void* from, std::size_t count) noexcept {
    if (count != 0) std::memcpy(bytes_.data() + used_, from, count);
    used_ += count;
  }
  /// Length, then the bytes.
  void text(std::string_view text) noexcept {
    varint(text.size());
    raw(text.data(), text.size());
  }
  void append(ByteSpan bytes) {
    ensure(bytes.size());
    raw(bytes.data(), bytes.size());
  }

  void clear() noexcept { used_ = 0; }
  void shorten(std::size_t size) noexcept { used_ = size; }
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  [[nodiscard]] ByteSpan view() const noexcept { return {bytes_.data(), used_}; }
  [[nodiscard]] std::uint8_t* at(std::size_t offset) noexcept { return bytes_.data() + offset; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t used_ = 0;
};

/// Reads what Out wrote. Bytes may be anything: a read past the end, or a varint that is too long, sets
/// failed() for good and yields zeros.
class In {
 public:
  In() = default;
  explicit In(ByteSpan bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  template <typename T>
  T fixed() noexcept {
    if (left() < sizeof(T)) return fail<T>();
    const T value = load_le<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  std::uint8_t u8() noexcept { return fixed<std::uint8_t>(); }
  std::uint64_t varint() noexcept {
    if (at_ != end_ && *at_ < 0x80) return *at_++;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const std::uint64_t byte = *at_++;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return fail<std::uint64_t>();
  }
  /// A varint that must fit.
  template <typename T>
  T varint_of() noexcept {
    const std::uint64_t value = varint();
    return value > static_cast<T>(~T{0}) ? fail<T>() : static_cast<T>(value);
  }
  /// Empty, and failed(), when there are fewer.
  std::string_view raw(std::size_t count) noexcept {
    if (left() < count) return fail<std::string_view>();
    const std::string_view bytes(reinterpret_cast<const char*>(at_), count);
    at_ += count;
    return bytes;
  }
  std::string_view text(std::size_t max) noexcept {
    const std::uint64_t count = varint();
    return count > max ? fail<std::string_view>() : raw(static_cast<std::size_t>(count));
  }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  template <typename T>
  T fail() noexcept {
    failed_ = true;
    at_ = end_;
    return T{};
  }

  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  bool failed_ = false;
};

}  // namespace ssync::index
