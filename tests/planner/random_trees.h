// Pairs of trees that had a common past: made, synced, then edited on both sides, with whatever the indexes
// know.
#pragma once

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "tree.h"

namespace ssync::planner::test {

/// One edit: what, and three numbers that choose paths and values. Any numbers are valid, so that failures
/// shrink.
using Edit = std::tuple<std::uint8_t, std::uint8_t, std::uint8_t, std::uint8_t>;

/// Applies edits of all sorts: create, remove, move, swap, change kind, metadata, hard links (on mirrors).
void edit(Tree& tree, const std::vector<Edit>& edits);

enum class Knowledge : std::uint8_t {
  nothing,  ///< first contact: no index on either side
  some,     ///< any true subset of what could be known
};

struct Trees {
  Tree source, mirror;
};

/// A mirror in which every file is another one, and a source in which some of its directories moved (pairs of
/// numbers choose from and to) before `edits` of all sorts, and `stirs` at what is there: removed, changed,
/// renamed beside, moved out or in, swapped, made a link or a directory. All that could be known is known.
Trees make_moved_trees(const std::vector<Edit>& common,
                       const std::vector<std::pair<std::uint8_t, std::uint8_t>>& moves,
                       const std::vector<Edit>& edits, const std::vector<Edit>& stirs);

/// `common` builds both; then each side's edits. `salt` chooses what is known. All that is known is true:
/// what is not in doubt and looks the same is the same.
Trees make_trees(const std::vector<Edit>& common, const std::vector<Edit>& source,
                 const std::vector<Edit>& mirror, Knowledge knowledge, std::uint64_t salt);

}  // namespace ssync::planner::test
