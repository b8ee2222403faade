#include "ssync/net/keys.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "ssync/base/assert.h"
#include "ssync/base/text.h"

namespace ssync::net {
namespace {

// In front of a token, so that its hash is of use nowhere else.
constexpr std::string_view kTokenDomain = "server-sync invitation 1";
constexpr std::size_t kFingerprintBytes = 10;

using Hash = std::array<std::byte, 32>;

unsigned char* raw(std::byte* bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes);
}

Hash sha256(std::initializer_list<std::span<const std::byte>> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  SSYNC_ASSERT(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  for (const auto part : parts)
    SSYNC_ASSERT(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  Hash hash;
  SSYNC_ASSERT(EVP_DigestFinal_ex(context.get(), raw(hash.data()), nullptr) == 1);
  return hash;
}

}  // namespace

std::string text_of(const PublicKey& key) {
  return to_hex(key.bytes);
}

Result<PublicKey> parse_public_key(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != PublicKey::kBytes)
    return fail(Errc::invalid_argument, fmt::format("a key is {} hexadecimal digits, as --show-key prints it",
                                                    2 * PublicKey::kBytes));
  PublicKey key;
  std::ranges::copy(*bytes, key.bytes.begin());
  if (key == PublicKey{}) return fail(Errc::invalid_argument, "a key of zeros is nobody's");
  return key;
}

std::string fingerprint(const PublicKey& key) {
  const Hash hash = sha256({key.bytes});
  std::string out;
  for (std::size_t i = 0; i < kFingerprintBytes; i += 2)
    out += (i == 0 ? "" : "-") + to_hex(std::span(hash).subspan(i, 2));
  return out;
}

KeyPair KeyPair::random() {
  return of(Secret::random());
}

KeyPair KeyPair::of(Secret secret) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, raw(secret.bytes().data()), Secret::kBytes),
      EVP_PKEY_free);
  PublicKey key;
  std::size_t size = key.bytes.size();
  SSYNC_ASSERT(pair && EVP_PKEY_get_raw_public_key(pair.get(), raw(key.bytes.data()), &size) == 1 &&
               size == key.bytes.size());
  return {key, std::move(secret)};
}

KeyPair KeyPair::from_token(std::span<const std::byte> token) {
  Hash hash = sha256({std::as_bytes(std::span(kTokenDomain)), token});
  const Wiper wiper(hash);
  return of(Secret(hash));
}

std::size_t HashOfKey::operator()(const PublicKey& key) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, key.bytes.data(), sizeof hash);
  return hash;
}

}  // namespace ssync::net
