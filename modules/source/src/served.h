// What the server asked for already: a row's file once, its checksum and its digest a few times. So what it
// asks for can fill no more memory than the list.
#pragma once

#include <cstdint>
#include <vector>

#include "ssync/model/entry.h"

namespace ssync::source {

/// One thread. Memory: a byte for each row up to the greatest that was asked for.
class Served {
 public:
  enum class What : std::uint8_t { file, checksum, digest };

  /// False: it was asked for often enough. Requires: a row that is listed.
  [[nodiscard]] bool take(RowId row, What what) {
    const auto at = static_cast<std::size_t>(row);
    if (asked_.size() <= at) asked_.resize(at + 1 + at / 2);
    std::uint8_t& counts = asked_[at];
    const unsigned shift = 2 * static_cast<unsigned>(what);
    if ((counts >> shift & 3U) >= most(what)) return false;
    counts = static_cast<std::uint8_t>(counts + (1U << shift));
    return true;
  }

 private:
  /// A file's content is asked about when the plan is made and, in doubt, once more.
  static unsigned most(What what) noexcept { return what == What::file ? 1 : 2; }

  std::vector<std::uint8_t> asked_;  ///< by row: two bits for each What
};

}  // namespace ssync::source
