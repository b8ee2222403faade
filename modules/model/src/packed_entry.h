// One entry in 36 bytes. What nearly every entry has fits; the few that have more (a file of a TiB, a time
// 17,000 years off, the 65,536th owner) keep those values in a side table, and their record says so.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ssync/model/entry.h"

namespace ssync::model {

/// The values that may need the side table. `owner_class` numbers a (uid, gid, device) triple.
struct Wide {
  std::uint32_t entry = 0;
  std::uint32_t owner_class = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_s = 0;
};

struct [[gnu::packed, gnu::aligned(4)]] PackedEntry {
  std::uint64_t inode;
  std::uint32_t size_low;
  std::uint32_t mtime_s_low;
  std::uint32_t mtime_ns_flags;  // 30 bits of nanoseconds, then flags 8 and 9
  std::uint32_t text;            // position in the arena: the name; a symlink's is followed by its target
  std::uint32_t tag;
  std::uint16_t owner_class;
  std::uint16_t mode_wide_kind;  // 12 bits of mode, then kWideBit, then 3 bits of kind - 1
  std::uint8_t size_high;
  std::int8_t mtime_s_high;
  std::uint8_t name_bytes;
  std::uint8_t flags_low;

  static constexpr std::uint16_t kWideBit = 1U << 12U;
  static constexpr unsigned kKindShift = 13;
  static constexpr unsigned kNsBits = 30;
  static constexpr std::uint32_t kNsMask = (1U << kNsBits) - 1;

  /// Everything but text, name_bytes, inode, flags and tag. Requires: a valid kind, nanoseconds below a
  /// second.
  static PackedEntry pack(const Values& values, std::uint32_t owner_class) noexcept {
    PackedEntry record{};
    record.size_low = static_cast<std::uint32_t>(values.size);
    record.size_high = static_cast<std::uint8_t>(values.size >> 32U);
    record.mtime_s_low = static_cast<std::uint32_t>(values.mtime.s);
    record.mtime_s_high = static_cast<std::int8_t>(values.mtime.s >> 32U);
    record.mtime_ns_flags = values.mtime.ns;
    record.owner_class = static_cast<std::uint16_t>(owner_class);
    record.mode_wide_kind = static_cast<std::uint16_t>(
        (values.mode & 07777U) | ((static_cast<unsigned>(values.kind) - 1U) << kKindShift));
    if (record.size() != values.size || record.mtime_s() != values.mtime.s ||
        record.owner_class != owner_class) {
      record.mode_wide_kind |= kWideBit;
    }
    return record;
  }

  [[nodiscard]] bool wide() const noexcept {
    return (mode_wide_kind & kWideBit) != 0;
  }
  [[nodiscard]] Kind kind() const noexcept {
    return static_cast<Kind>((mode_wide_kind >> kKindShift) + 1U);
  }
  [[nodiscard]] std::uint16_t mode() const noexcept {
    return mode_wide_kind & 07777U;
  }
  [[nodiscard]] std::uint32_t mtime_ns() const noexcept {
    return mtime_ns_flags & kNsMask;
  }
  [[nodiscard]] std::uint16_t flags() const noexcept {
    return static_cast<std::uint16_t>((mtime_ns_flags >> kNsBits) << 8U | flags_low);
  }
  void set_flags(std::uint16_t flags) noexcept {
    flags_low = static_cast<std::uint8_t>(flags);
    mtime_ns_flags = (mtime_ns_flags & kNsMask) | std::uint32_t{flags} >> 8U << kNsBits;
  }
  // Right unless wide().
  [[nodiscard]] std::uint64_t size() const noexcept {
    return std::uint64_t{size_high} << 32U | size_low;
  }
  [[nodiscard]] std::int64_t mtime_s() const noexcept {
    return std::int64_t{mtime_s_high} * (std::int64_t{1} << 32U) + std::int64_t{mtime_s_low};
  }
};
static_assert(sizeof(PackedEntry) == 36);

}  // namespace ssync::model
