// Drives a Planner as a server would, and carries its changes out on a tree: strictly, so that a wrong order
// shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/planner/planner.h"

#include "tree.h"

namespace ssync::planner::test {

struct Driving {
  Options options = defaults();
  std::size_t batch_rows = 100;          ///< of the source list
  bool by_sums = false;                  ///< list directories, then the rows that are asked for
  bool takes_early_at_times = false;     ///< else whenever there is something
  bool mirror_first = false;             ///< give all of the mirror before it is asked for
  std::uint64_t answer_seed = 0;         ///< shuffles answers
  bool refuse_answers = false;           ///< nothing can be read
  std::vector<Problem> block_problems;   ///< put into the block of their path, or of their location
  std::vector<std::string> holding_own;  ///< locations of blocks in which something is no entry

  static Options defaults() {
    Options options;
    options.mirror_synced_before = true;
    return options;
  }
};

struct Outcome {
  std::string error;  ///< of the planner, or of a change that could not be carried out
  Errc code = Errc::io;
  std::vector<Change> changes;
  std::size_t early = 0;  ///< so many of them came before the plan
  std::vector<Query> queries;
  std::size_t rows_given = 0;  ///< by_sums
  std::vector<Problem> problems;
  PlanTotals totals;
  Guard guard = Guard::none;
  Tree mirror;         ///< after the changes
  std::string digest;  ///< the planner's and that of the changes together

  /// One line a change: op, path, from.
  [[nodiscard]] std::vector<std::string> steps() const;
  /// The same without directories' final values.
  [[nodiscard]] std::vector<std::string> work() const;
  [[nodiscard]] std::vector<std::string> problem_paths() const;
  /// Questions that cost a read: "source digest a/b".
  [[nodiscard]] std::vector<std::string> reads() const;
};

Outcome drive(const Tree& source, const Tree& mirror, const Driving& driving = {});

/// The tree digest of a source without the rows that `problems` leave out.
std::string digest_of_source(const Tree& source, const std::vector<Problem>& problems,
                             const Options& options);

}  // namespace ssync::planner::test
