#pragma once

#include <string>

namespace ssync::server_program {

/// The text as a QR code for a terminal, dark on light, two rows of it in a line. Empty when it is too long
/// for one.
[[nodiscard]] std::string qr_code(const std::string& text);

}  // namespace ssync::server_program
