// Text on the wire: UTF-8 of a bounded length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ssync::wire {

/// Source: RFC 3629 §4 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

/// The longest prefix of at most `max_bytes` bytes that does not end inside a character. Requires:
/// is_utf8(text).
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t max_bytes) noexcept;

/// What may be sent for `bytes`: they themselves, '?' for each that is no UTF-8, and cut. Never longer than
/// `bytes`, so that senders can reckon with their size.
[[nodiscard]] std::string fit_text(std::string_view bytes, std::size_t max_bytes);

}  // namespace ssync::wire
