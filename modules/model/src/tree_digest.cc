#include "ssync/model/tree_digest.h"

#include <endian.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <type_traits>
#include <vector>

// Inlined: a row is some 60 bytes, of which a call through the shared library would be a good part.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ssync/base/assert.h"
#include "ssync/base/text.h"

namespace ssync {
namespace {

// Everything of a row but name and target.
constexpr std::size_t kFixedBytes = 1 + 2 + 8 + 8 + 4 + 4 + 4 + 4 + 4 + 1 + 16;

// One instruction, where a loop over the bytes stays a loop: a row has ten numbers, a tree two rows an entry.
template <typename T>
T to_big(T value) noexcept {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return ::htobe16(value);
  } else if constexpr (sizeof(T) == 4) {
    return ::htobe32(value);
  } else {
    return ::htobe64(value);
  }
}

// Writes big endian integers and bytes into room that is known to suffice.
class Encoder {
 public:
  explicit Encoder(std::byte* at) noexcept : at_(at) {}
  template <typename T>
  void integer(T value) noexcept {
    const T big = to_big(value);
    std::memcpy(at_, &big, sizeof big);
    at_ += sizeof big;
  }
  void bytes(const void* from, std::size_t size) noexcept {
    if (size > 0) std::memcpy(at_, from, size);
    at_ += size;
  }
  void text(std::string_view from) noexcept {
    integer(static_cast<std::uint32_t>(from.size()));
    bytes(from.data(), from.size());
  }
  [[nodiscard]] const std::byte* at() const noexcept { return at_; }

 private:
  std::byte* at_;
};

std::size_t encode(std::byte* into, std::string_view name, const Values& values, std::string_view target,
                   const std::optional<Checksum>& checksum) noexcept {
  Encoder out(into);
  out.integer(static_cast<std::uint8_t>(values.kind));
  out.integer(values.mode);
  out.integer(values.size);
  out.integer(static_cast<std::uint64_t>(values.mtime.s));
  out.integer(values.mtime.ns);
  out.integer(values.owner.uid);
  out.integer(values.owner.gid);
  out.text(name);
  out.text(target);
  out.integer(static_cast<std::uint8_t>(checksum ? 1 : 0));
  if (checksum) out.bytes(checksum->data(), checksum->size());
  return static_cast<std::size_t>(out.at() - into);
}

Hash128 hash(const std::byte* bytes, std::size_t size) noexcept {
  const XXH128_hash_t sum = XXH3_128bits(bytes, size);
  return {sum.high64, sum.low64};
}

Hash128 minus(Hash128 a, Hash128 b) noexcept {
  return {a.high - b.high - (a.low < b.low ? 1U : 0U), a.low - b.low};
}

}  // namespace

Hash128& Hash128::operator+=(Hash128 other) noexcept {
  low += other.low;
  high += other.high + (low < other.low ? 1U : 0U);
  return *this;
}

std::array<std::byte, 16> to_bytes(Hash128 hash) noexcept {
  std::array<std::byte, 16> bytes{};
  Encoder out(bytes.data());
  out.integer(hash.high);
  out.integer(hash.low);
  return bytes;
}

Hash128 hash_of(const std::array<std::byte, 16>& bytes) noexcept {
  Hash128 hash;
  for (std::size_t i = 0; i < 8; ++i) {
    hash.high = hash.high << 8U | std::to_integer<std::uint64_t>(bytes[i]);
    hash.low = hash.low << 8U | std::to_integer<std::uint64_t>(bytes[8 + i]);
  }
  return hash;
}

Hash128 row_hash(std::string_view name, const Values& values, std::string_view target,
                 const std::optional<Checksum>& checksum) {
  const std::size_t room = kFixedBytes + name.size() + target.size();
  std::array<std::byte, 512> small;
  if (room <= small.size()) return hash(small.data(), encode(small.data(), name, values, target, checksum));
  std::vector<std::byte> large(room);
  return hash(large.data(), encode(large.data(), name, values, target, checksum));
}

void TreeDigest::add(std::string_view location, Hash128 row) {
  Node* node = cursor_.node;
  if (node == nullptr || node->first != location) {
    // Mostly they come in order.
    const bool is_next =
        directories_.empty() || compare_locations(directories_.rbegin()->first, location) < 0;
    auto found = is_next ? directories_.end() : directories_.lower_bound(location);
    if (found == directories_.end() || found->first != location)
      found = directories_.emplace_hint(found, location, Sum{});
    cursor_.node = node = &*found;
  }
  node->second.hash += row;
  ++node->second.rows;
}

void TreeDigest::add(const TreeDigest& other) {
  auto hint = directories_.begin();
  for (const auto& [location, sum] : other.directories_) {
    const auto at = directories_.try_emplace(hint, location);
    at->second.hash += sum.hash;
    at->second.rows += sum.rows;
    hint = std::next(at);
  }
}

void TreeDigest::remove(std::string_view location, Hash128 row) {
  const auto found = directories_.find(location);
  SSYNC_ASSERT(found != directories_.end());
  Sum& sum = found->second;
  sum.hash = minus(sum.hash, row);
  if (--sum.rows > 0) return;
  // What is left of no rows is nothing, or a row was taken out that never went in.
  SSYNC_ASSERT(sum.hash == Hash128{});
  erase(found, std::next(found));
}

void TreeDigest::remove_subtree(std::string_view location) {
  const auto first = directories_.lower_bound(location);
  auto last = first;
  while (last != directories_.end() && is_at_or_below(last->first, location))
    ++last;
  erase(first, last);
}

void TreeDigest::erase(Directories::iterator first, Directories::iterator last) {
  cursor_.node = nullptr;  // may be among them
  directories_.erase(first, last);
}

Hash128 TreeDigest::value() const {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const auto& [location, sum] : directories_) {
    std::array<std::byte, 4> length{};
    Encoder(length.data()).integer(static_cast<std::uint32_t>(location.size()));
    XXH3_128bits_update(&state, length.data(), length.size());
    XXH3_128bits_update(&state, location.data(), location.size());
    std::array<std::byte, 24> rows{};
    Encoder out(rows.data());
    out.integer(sum.rows);
    out.integer(sum.hash.high);
    out.integer(sum.hash.low);
    XXH3_128bits_update(&state, rows.data(), rows.size());
  }
  const XXH128_hash_t digest = XXH3_128bits_digest(&state);
  return {digest.high64, digest.low64};
}

std::string TreeDigest::hex() const {
  return to_hex(to_bytes(value()));
}

}  // namespace ssync
