#include "qr_code.h"

#include <qrencode.h>

#include <memory>

namespace ssync::server_program {
namespace {

constexpr int kMargin = 2;

}  // namespace

std::string qr_code(const std::string& text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L), QRcode_free);
  if (!code) return {};
  const auto is_dark = [&](int x, int y) {
    const bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return inside && (code->data[y * code->width + x] & 1U) != 0;
  };
  std::string out;
  for (int y = -kMargin; y < code->width + kMargin; y += 2) {
    out += "\x1b[40;97m";  // white blocks on black, whatever the terminal's colours are
    for (int x = -kMargin; x < code->width + kMargin; ++x) {
      const bool upper = !is_dark(x, y);
      const bool lower = !is_dark(x, y + 1);
      out += upper && lower ? "\u2588" : upper ? "\u2580" : lower ? "\u2584" : " ";
    }
    out += "\x1b[0m\n";
  }
  return out;
}

}  // namespace ssync::server_program
