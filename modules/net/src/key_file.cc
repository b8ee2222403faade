#include "ssync/net/key_file.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/net/private_file.h"

namespace ssync::net {
namespace {

constexpr std::string_view kForm = "ssync-key-1 ";
constexpr std::size_t kFileBytesMax = 4096;

}  // namespace

Result<KeyPair> read_key(const std::string& path) {
  SSYNC_TRY(std::string text, read_private_file(path, kFileBytesMax));
  const Wiper wiper(std::as_writable_bytes(std::span(text)));
  std::string_view rest = text;
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r' || rest.back() == ' '))
    rest.remove_suffix(1);
  std::optional<std::vector<std::byte>> bytes;
  if (rest.starts_with(kForm)) bytes = from_hex(rest.substr(kForm.size()));
  const Wiper wipe_bytes(bytes ? std::span<std::byte>(*bytes) : std::span<std::byte>());
  if (!bytes || bytes->size() != Secret::kBytes) {
    return fail(Errc::corrupt,
                fmt::format("{} holds no key: it must be one line, \"{}\" and {} hexadecimal digits",
                            escape(path), kForm, 2 * Secret::kBytes));
  }
  return KeyPair::of(Secret(std::span<const std::byte, Secret::kBytes>(*bytes)));
}

Result<KeyPair> read_or_make_key(const std::string& path) {
  Result<KeyPair> there = read_key(path);
  if (there || there.error().code != Errc::not_found) return there;
  if (const std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0)
    SSYNC_TRY_VOID(make_directories(path.substr(0, slash)));
  const KeyPair made = KeyPair::random();
  std::string digits = to_hex(made.secret.bytes());
  const Wiper wipe_digits(std::as_writable_bytes(std::span(digits)));
  std::string text = fmt::format("{}{}\n", kForm, digits);
  const Wiper wipe_text(std::as_writable_bytes(std::span(text)));
  const Result<void> written = write_private_file(path, text, IfThere::keep);
  if (!written && written.error().code != Errc::already_exists) return fail(written.error());
  return read_key(path);
}

Result<std::string> default_config_dir() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && config[0] == '/')
    return fmt::format("{}/server-sync", config);
  if (::geteuid() == 0) return std::string("/etc/server-sync");
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/')
    return fmt::format("{}/.config/server-sync", home);
  return fail(Errc::not_found, "neither XDG_CONFIG_HOME nor HOME is set: name a key (--key FILE)");
}

}  // namespace ssync::net
