// Records and headers as bytes. The layout is in this module's README.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ssync/index/index.h"

#include "bytes.h"

namespace ssync::index {

/// What a record's fields are written relative to: the record before it in the same block.
struct FieldState {
  std::uint16_t mode = 0;
  Owner owner;
  std::uint64_t device = 0, inode = 0;
  std::uint64_t mtime_s = 0, ctime_s = 0;
};

/// More than any record's fields need (a name not counted).
inline constexpr std::size_t kFieldBytesMax = 256;
/// A header's strings: a path, and a source id of any sensible length.
inline constexpr std::size_t kHeaderTextMax = 64 * 1024;
inline constexpr std::size_t kHeaderBytesMax = 2 * kHeaderTextMax + 256;

/// Requires: `out` has room for kFieldBytesMax. Values that no stat has (ns over a second, more than 12 mode
/// bits) are the caller's mistake: check_record() first.
void encode_fields(Out& out, const Record& record, FieldState& state) noexcept;
/// False when the bytes make no record.
[[nodiscard]] bool decode_fields(In& in, Record& record, FieldState& state) noexcept;
/// Whether decode_fields() would accept what encode_fields() makes of it.
[[nodiscard]] bool check_record(const Record& record) noexcept;

/// Errc::limit when a string of it is too long.
[[nodiscard]] Result<void> encode_header(Out& out, const Header& header);
[[nodiscard]] bool decode_header(In& in, Header& header);

}  // namespace ssync::index
