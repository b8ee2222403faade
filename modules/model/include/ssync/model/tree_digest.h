// The tree digest: both ends compute it, and the two are equal exactly when the mirror is right.
// proto-spec/03 §5.
//
// A directory's digest is the sum modulo 2^128 of its rows' hashes, so rows may be added and taken out in any
// order. The tree's is XXH3-128 over the directories in the order of compare_locations(), those without any
// row left out. All integers are big endian; a 128-bit number has its high half first.
//
//   row        u8 kind, u16 mode, u64 size, i64 mtime seconds, u32 mtime nanoseconds, u32 uid, u32 gid,
//              u32 length of name, name, u32 length of target, target,
//              u8 1 and 16 bytes of checksum, or u8 0 and nothing
//   directory  u32 length of location, location, u64 number of rows, 16 bytes sum of the rows' XXH3-128
//
// XXH3 is fast, not cryptographic: the digest finds accidents. Who can choose names and times on purpose
// could make two trees with one digest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ssync/model/entry.h"
#include "ssync/model/path.h"

namespace ssync {

/// 128 bits, two words; a sum of row hashes.
struct Hash128 {
  std::uint64_t high = 0, low = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  /// Modulo 2^128.
  Hash128& operator+=(Hash128 other) noexcept;
};

/// Big endian, the high half first.
[[nodiscard]] std::array<std::byte, 16> to_bytes(Hash128 hash) noexcept;
[[nodiscard]] Hash128 hash_of(const std::array<std::byte, 16>& bytes) noexcept;

/// What one end says of a directory instead of its rows: how many they are and what they add up to. Equal
/// sums of two known directories mean equal rows, all of them right as they are. proto-spec/03 §5.
struct DirectorySum {
  std::string location;
  std::uint64_t rows = 0;  ///< all of them, of the root directory its own row too
  /// The sum of row_hash() over its rows, with those checksums that are proven (none for empty files).
  /// nullopt: unknown, as some row is unreadable or in doubt.
  std::optional<Hash128> sum;
  friend bool operator==(const DirectorySum&, const DirectorySum&) = default;
};

/// Hash of one row. `values` must be projected already. `checksum` is folded in when given (--checksum,
/// --verify).
[[nodiscard]] Hash128 row_hash(std::string_view name, const Values& values, std::string_view target,
                               const std::optional<Checksum>& checksum);

/// Thread safety: one thread at a time. Memory: one small record a directory. A value: copied and moved like
/// one.
class TreeDigest {
 public:
  /// O(1) but for comparing the location when it is the one of the add() before; else O(log directories).
  void add(std::string_view location, Hash128 row);
  /// All rows of another digest, which has none of this one's.
  void add(const TreeDigest& other);
  /// Requires: the same row was added before.
  void remove(std::string_view location, Hash128 row);
  /// Leaves out `location` and all directories below it (their rows; not the row of `location` itself in its
  /// parent).
  void remove_subtree(std::string_view location);
  /// value() as 32 lower-case hex digits.
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] Hash128 value() const;

 private:
  struct Sum {
    Hash128 hash;
    std::uint64_t rows = 0;  ///< never 0 between calls
  };
  struct Order {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept {
      return compare_locations(a, b) < 0;
    }
  };
  using Directories = std::map<std::string, Sum, Order>;
  using Node = Directories::value_type;
  /// Where the last row went; rows come directory by directory. It points into one map, so it stays behind
  /// when the digest is copied or moved, and both sides start without.
  struct Cursor {
    Node* node = nullptr;
    Cursor() = default;
    ~Cursor() = default;
    Cursor(const Cursor& /*other*/) noexcept {}
    Cursor(Cursor&& other) noexcept { other.node = nullptr; }
    Cursor& operator=(const Cursor& other) noexcept {
      if (this != &other) node = nullptr;
      return *this;
    }
    Cursor& operator=(Cursor&& other) noexcept {
      node = other.node = nullptr;
      return *this;
    }
  };
  void erase(Directories::iterator first, Directories::iterator last);

  Directories directories_;
  Cursor cursor_;
};

}  // namespace ssync
