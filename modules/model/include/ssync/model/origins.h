// Where some entries of a snapshot were before, by their index: evidence that a new file is an old one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/model/entry.h"
#include "ssync/model/snapshot.h"

namespace ssync {

/// 32 bytes and the name for each, and the location once for neighbours that share it. Evidence is optional:
/// what has a name that none may have, or lies beyond 2 GiB of names, is not kept. Thread safety: one thread
/// at a time; readers may be many.
class Origins {
 public:
  /// Copies it. Requires: `entry` is above those before.
  void put(EntryIndex entry, const Origin& origin);
  /// Binary search. Its views are valid until the next put() or clear().
  [[nodiscard]] std::optional<Origin> find(EntryIndex entry) const;
  /// Frees everything.
  void clear() { *this = Origins(); }

 private:
  struct Kept {
    EntryIndex entry = 0;
    std::uint32_t location = 0;  ///< in locations_
    std::uint32_t name = 0;      ///< position in names_
    std::uint8_t name_bytes = 0;
    bool proven = false;
    Checksum checksum{};
  };
  std::vector<Kept> kept_;
  std::vector<std::string> locations_;
  std::string names_;
};

}  // namespace ssync
