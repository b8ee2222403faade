#include <algorithm>
#include <array>
#include <new>

#include "ssync/base/assert.h"
#include "ssync/content/content.h"

#include "xxh3.h"

namespace ssync::content {
namespace {

constexpr std::array<std::byte, 64 * 1024> kZeros{};

}  // namespace

struct ContentHash::Impl {
  Impl() { SSYNC_ASSERT(XXH3_128bits_reset(&state) == XXH_OK); }
  XXH3_state_t state;
};

ContentHash::ContentHash() : impl_(std::make_unique<Impl>()) {}
ContentHash::~ContentHash() = default;
ContentHash::ContentHash(ContentHash&&) noexcept = default;
ContentHash& ContentHash::operator=(ContentHash&&) noexcept = default;

void ContentHash::add(std::span<const std::byte> bytes) {
  SSYNC_ASSERT(XXH3_128bits_update(&impl_->state, bytes.data(), bytes.size()) == XXH_OK);
}

void ContentHash::add_zeros(std::uint64_t count) {
  while (count > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(count, kZeros.size()));
    add(std::span(kZeros).first(step));
    count -= step;
  }
}

Checksum ContentHash::checksum() const {
  return to_checksum(XXH3_128bits_digest(&impl_->state));
}

void ContentHash::reset() {
  SSYNC_ASSERT(XXH3_128bits_reset(&impl_->state) == XXH_OK);
}

Checksum checksum_of(std::span<const std::byte> bytes) {
  return to_checksum(XXH3_128bits(bytes.data(), bytes.size()));
}

}  // namespace ssync::content
