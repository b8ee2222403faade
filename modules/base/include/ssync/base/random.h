#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ssync {

/// `random_bytes` unpredictable bytes as twice as many lower-case hexadecimal digits, for names and
/// identifiers that nobody should guess. Thread safety: any thread. Blocks only early at boot. Source:
/// getrandom(2).
[[nodiscard]] std::string random_hex(std::size_t random_bytes);
/// The same, as bytes, for identifiers on the wire.
void fill_random(std::span<std::byte> into);

}  // namespace ssync
