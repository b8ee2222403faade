// A source and a mirror with everything that a sync does between them, but processes and a network.
#pragma once

#include <string>
#include <vector>

#include "ssync/index/index.h"
#include "ssync/model/change.h"
#include "ssync/support/fake_tree.h"

#include "pipe.h"

namespace ssync::pipeline_test {

struct SyncOptions {
  bool compare_content = false;
  bool with_digests = false;  ///< rows carry the digests that the source's index knows
  bool settle = true;         ///< the mirror's clock moves before each stat that is remembered
  std::size_t batch_rows = 3;
  std::size_t change_batch = 2;
  unsigned scan_threads = 2;
  PipeOptions pipe;
};

struct Synced {
  std::vector<std::string> steps;  ///< in order; those that only record are not among them
  std::size_t recorded = 0;        ///< changes that are record_only
  std::size_t reads = 0;           ///< files read to answer a question
  std::vector<std::string>
      troubles;  ///< problems, stale changes, errors: none in a tree that nobody disturbs
  std::string source_digest, mirror_digest;
  PlanTotals totals;
};

/// One end's knowledge between syncs, in a directory of its own that is removed at the end.
class State {
 public:
  State();
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  [[nodiscard]] Result<index::Index> open(index::Role role) const;
  void forget() const;

 private:
  std::string path_;
};

class Pair {
 public:
  [[nodiscard]] Synced sync(const SyncOptions& options);

  support::FakeTree source;
  support::FakeTree mirror;
  State source_state;
  State mirror_state;
};

}  // namespace ssync::pipeline_test
