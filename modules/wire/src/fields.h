// Reading a msgpack map field by field. The first thing wrong is kept and every read after it gives a
// default, so that decoding a message is a list of its fields with one check at the end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/wire/limits.h"

#include "tokens.h"

namespace ssync::wire {

/// Largest count, size, file offset or row id on the wire.
inline constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
inline constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();
/// Fields of one map, at most.
inline constexpr std::uint32_t kFieldsMax = 64;

/// Borrows the tokens. One message, one thread.
class Fields {
 public:
  /// A view of the map at `tokens[at]`; faults of it and of all maps inside it go to `fault`. A map is
  /// refused when a key is no text or comes twice, when it has more than kFieldsMax of them, and
  /// (Errc::version) when one begins with '!': proto-spec/08 §3.
  Fields(std::span<const Token> tokens, std::size_t at, std::optional<Error>& fault);

  [[nodiscard]] bool has(std::string_view key) const noexcept { return find(key) != nullptr; }
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t max = kNumberMax);
  /// nullopt when absent.
  [[nodiscard]] std::optional<std::uint64_t> optional_number(std::string_view key,
                                                             std::uint64_t max = kNumberMax);
  template <typename T>
  [[nodiscard]] T small(std::string_view key) {
    return static_cast<T>(number(key, std::numeric_limits<T>::max()));
  }
  [[nodiscard]] std::int64_t signed_number(std::string_view key, std::int64_t min, std::int64_t max);
  [[nodiscard]] bool boolean(std::string_view key);
  [[nodiscard]] std::string text(std::string_view key, std::size_t max_bytes = kTextBytesMax);
  [[nodiscard]] std::string bytes(std::string_view key, std::size_t max_bytes);
  template <std::size_t N>
  [[nodiscard]] std::array<std::byte, N> fixed(std::string_view key) {
    std::array<std::byte, N> out{};
    const std::string_view from = exact_bytes(key, N);
    if (from.size() == N) std::memcpy(out.data(), from.data(), N);
    return out;
  }
  [[nodiscard]] std::vector<std::uint64_t> numbers(std::string_view key, std::size_t items_max);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key, std::size_t items_max,
                                               std::size_t max_bytes);
  [[nodiscard]] Fields map(std::string_view key);

  /// For rules of the message itself.
  void refuse(Errc code, std::string_view key, std::string_view why);

 private:
  Fields(std::optional<Error>& fault) : fault_(fault) {}
  void index(std::size_t at);
  [[nodiscard]] const Token* find(std::string_view key) const noexcept;
  /// The field if it is there and of this type; else the fault is noted.
  [[nodiscard]] const Token* need(std::string_view key, Token::Type type, std::string_view what);
  [[nodiscard]] std::string_view exact_bytes(std::string_view key, std::size_t size);
  [[nodiscard]] std::uint64_t number_of(const Token& token, std::string_view key, std::uint64_t max);
  [[nodiscard]] std::string text_of(const Token& token, std::string_view key, std::size_t max_bytes);
  /// An array of at most `items_max` items, or nullptr.
  [[nodiscard]] const Token* need_array(std::string_view key, std::size_t items_max);

  std::span<const Token> tokens_;
  std::vector<const Token*> keys_;
  std::optional<Error>& fault_;
};

}  // namespace ssync::wire
