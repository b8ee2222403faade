// A source and a mirror in memory, and the real engines of both ends between them: everything but processes,
// a network and a file system.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ssync/base/exit_code.h"
#include "ssync/index/index.h"
#include "ssync/mirror/options.h"
#include "ssync/model/change.h"
#include "ssync/source/source.h"
#include "ssync/support/fake_tree.h"

namespace ssync::pipeline_test {

struct SyncOptions {
  wire::SyncOptions sync;
  bool eager_digest = false;
  /// The mirror's clock moves with each look at it; else what is made is too young to be believed.
  bool settle = true;
  source::Capacities source;
  mirror::Capacities mirror;
  Attributes attributes;  ///< what the mirror can hold
};

struct Synced {
  ExitCode code = ExitCode::ok;
  bool done = false;               ///< sync:done came
  bool equal = false;              ///< both ends say so
  std::vector<std::string> steps;  ///< changes of the mirror, in order; those that only record are not told
  std::uint64_t reads = 0;         ///< reads of content, both trees
  /// Problems and errors of both ends: none in a tree that nobody disturbs.
  std::vector<std::string> troubles;
  std::string source_digest, mirror_digest;
  SyncStats stats;
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
