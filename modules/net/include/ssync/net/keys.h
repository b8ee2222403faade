// Who somebody is on a network: a pair of keys (X25519, as CURVE uses them). The public part stands for its
// owner; whoever has the secret part is its owner.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/base/secret.h"

namespace ssync::net {

struct PublicKey {
  static constexpr std::size_t kBytes = 32;
  std::array<std::byte, kBytes> bytes{};
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
};

/// 64 hexadecimal digits.
[[nodiscard]] std::string text_of(const PublicKey& key);
/// Errors: Errc::invalid_argument, also for a key of zeros.
[[nodiscard]] Result<PublicKey> parse_public_key(std::string_view text);
/// For people to compare, and short enough for a log: "3f2a-91bc-0d77-e2a1-5b6c", of the key's SHA-256.
[[nodiscard]] std::string fingerprint(const PublicKey& key);

struct KeyPair {
  PublicKey public_key;
  Secret secret;

  [[nodiscard]] static KeyPair random();
  [[nodiscard]] static KeyPair of(Secret secret);
  /// The pair that both ends of an invitation make of its token: any bytes, at least 16 of them
  /// unpredictable.
  [[nodiscard]] static KeyPair from_token(std::span<const std::byte> token);
};

/// Keys are random already.
struct HashOfKey {
  [[nodiscard]] std::size_t operator()(const PublicKey& key) const noexcept;
};

}  // namespace ssync::net
