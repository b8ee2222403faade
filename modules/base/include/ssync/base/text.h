#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ssync {

/// Path bytes for people: one line, nothing that acts on a terminal, and reversible. Printable ASCII and
/// valid UTF-8 stay; each byte of anything else becomes `\#ooo` (three octal digits): control characters,
/// invalid UTF-8, invisible format characters and those that change direction; likewise a backslash before a
/// '#', as it could be read as such. Source: rsync(1) --8-bit-output; rsync escapes the backslash only before
/// '#' and three digits.
[[nodiscard]] std::string escape(std::string_view bytes);

/// Text for people that may come from a peer and may have escaped paths in it: as escape(), but what is
/// escaped already stays.
[[nodiscard]] std::string escape_text(std::string_view text);

/// "0 B", "1023 B", "1.0 KiB", "512.0 KiB", "1.5 GiB"; rounded to the nearest tenth.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// "1,234,567".
[[nodiscard]] std::string with_commas(std::uint64_t number);

/// Two lower-case digits per byte.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

/// The reverse; upper case is accepted. nullopt for an odd length or any other character.
[[nodiscard]] std::optional<std::vector<std::byte>> from_hex(std::string_view text);

/// The candidate that was probably meant by `word`, for "did you mean": the one with the fewest letters to
/// change, add or remove (a third of the word at most; '_' counts as '-', capitals as small letters), else
/// the first that has the word between dashes: "control-port" for "port". nullopt: none is like it.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view word,
                                                      std::span<const std::string> candidates);

}  // namespace ssync
