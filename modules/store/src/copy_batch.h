#pragma once

// Copies that wait for the disk: they are staged, and get their names together.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ssync/model/change.h"
#include "ssync/store/placing.h"

namespace ssync::store {

enum class RemoveFrom : bool { no, yes };

/// Thread safety: one thread at a time. Touches no disk.
class CopyBatch {
 public:
  struct Limits {
    std::uint64_t bytes = 0;
    std::size_t files = 0;
  };
  struct Copy {
    Change change;
    Staged staged;
    RemoveFrom remove_from =
        RemoveFrom::no;  ///< `from` goes once the copy has its name: the change is a move
    /// It is part of moving a directory: what it became is remembered (Remade), and no outcome is told.
    bool part_of_move = false;
  };

  explicit CopyBatch(Limits limits) : limits_(limits) {}
  void add(Copy copy);
  [[nodiscard]] std::vector<Copy> take();
  [[nodiscard]] bool empty() const noexcept { return copies_.empty(); }
  [[nodiscard]] bool is_full() const noexcept {
    return copies_.size() >= limits_.files || bytes_ >= limits_.bytes;
  }
  /// `change` cannot come before these copies have their names: it deletes, moves a directory, has a path
  /// that they are for, or destroys what one was made of (which is all there is of it should the power fail).
  [[nodiscard]] bool must_come_before(const Change& change) const;

 private:
  const Limits limits_;
  std::vector<Copy> copies_;
  std::uint64_t bytes_ = 0;
  std::unordered_set<std::string> changing_;  ///< paths that these copies come to, or go from
  std::unordered_set<std::string> read_;      ///< paths that they were made of
};

}  // namespace ssync::store
