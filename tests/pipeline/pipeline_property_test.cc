// The engines of both ends together, on random trees in memory. RapidCheck prints the seed of a
// failure; RC_PARAMS="seed=..." runs it again.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ssync/support/tree_nodes.h"

#include "edits.h"
#include "pair.h"

namespace ssync::pipeline_test {
namespace {

using Edits = std::vector<Edit>;

SyncOptions random_options() {
  SyncOptions options;
  options.sync.compare_content = *rc::gen::inRange(0, 5) == 0;
  options.sync.durable = *rc::gen::arbitrary<bool>();
  options.sync.max_delete = 1'000'000;  // guards are the planner's tests' business
  options.sync.list_changes = *rc::gen::arbitrary<bool>();
  options.eager_digest = *rc::gen::inRange(0, 4) == 0;
  options.settle = *rc::gen::inRange(0, 3) != 0;
  options.mirror.seal_wait = std::chrono::milliseconds(0);
  if (*rc::gen::inRange(0, 3) != 0) {  // room for one item everywhere
    options.source = {1, 1, 1, 1, 1};
    options.mirror = {1, 1, 1, 1, 1, 1, 1, 1, 1, options.mirror.seal_wait};
  }
  return options;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += line + "\n";
  return text;
}

/// Much stays as it was, so that there is something to move and to reuse.
rc::Gen<Edits> few_edits() {
  return rc::gen::scale(0.2, rc::gen::arbitrary<Edits>());
}

/// Both trees from one past, then each its own way; nothing was synced yet.
void make_trees(Pair& pair) {
  const auto common = *rc::gen::scale(2.0, rc::gen::arbitrary<Edits>()).as("common");
  edit(pair.source, common, Disguise::no);
  edit(pair.mirror, common, Disguise::no);
  edit(pair.source, *few_edits().as("source"), Disguise::no);
  edit(pair.mirror, *few_edits().as("mirror"), Disguise::no);
}

/// The claim: afterwards the mirror is the source, both ends say so, and nothing went wrong on the way.
void check_sync(Pair& pair, const SyncOptions& options) {
  const std::string before = pair.mirror.dump();
  const Synced synced = pair.sync(options);
  RC_LOG() << "source:\n"
           << pair.source.dump() << "mirror before:\n"
           << before << "mirror after:\n"
           << pair.mirror.dump() << "steps:\n"
           << joined(synced.steps) << "troubles:\n"
           << joined(synced.troubles);
  RC_ASSERT(synced.troubles.empty());
  RC_ASSERT(pair.mirror.dump() == pair.source.dump());
  RC_ASSERT(synced.code == ExitCode::ok);
  RC_ASSERT(synced.equal);
  RC_ASSERT(synced.mirror_digest == synced.source_digest);
}

/// A durable sync flushes the file system, whatever it did.
std::vector<std::string> changes_but_flushes(const support::FakeTree& tree) {
  std::vector<std::string> changes = tree.changes();
  std::erase(changes, "sync");
  return changes;
}

/// The claim: a sync of equal trees has nothing to do, and does nothing.
Synced check_idle(Pair& pair, const SyncOptions& options) {
  pair.mirror.clear_operations();
  Synced synced = pair.sync(options);
  RC_LOG() << "steps of an idle sync:\n"
           << joined(synced.steps) << "troubles:\n"
           << joined(synced.troubles) << "changes:\n"
           << joined(changes_but_flushes(pair.mirror));
  RC_ASSERT(synced.steps.empty());
  RC_ASSERT(synced.troubles.empty());
  RC_ASSERT(changes_but_flushes(pair.mirror).empty());
  RC_ASSERT(synced.mirror_digest == synced.source_digest);
  return synced;
}

/// So long that no file is young any more.
void pass_time(Pair& pair) {
  pair.source.tick(std::chrono::minutes(10));
  pair.mirror.tick(std::chrono::minutes(10));
}

RC_GTEST_PROP(PipelineProperty, AFirstSyncMakesTheMirrorTheSource, ()) {
  Pair pair;
  make_trees(pair);
  check_sync(pair, random_options());
  check_idle(pair, random_options());
}

RC_GTEST_PROP(PipelineProperty, EachFurtherSyncRepairsWhatWasEditedOnEitherSide, ()) {
  Pair pair;
  make_trees(pair);
  check_sync(pair, random_options());
  for (int round = 0; round < 2; ++round) {
    edit(pair.source, *few_edits().as("source later"), Disguise::yes);
    edit(pair.mirror, *few_edits().as("mirror later"), Disguise::yes);
    check_sync(pair, random_options());
  }
  check_idle(pair, random_options());
}

RC_GTEST_PROP(PipelineProperty, AnIndexThatWasLostOnEitherSideDoesNoHarm, ()) {
  Pair pair;
  make_trees(pair);
  check_sync(pair, random_options());
  const bool source_forgets = *rc::gen::arbitrary<bool>();
  (source_forgets ? pair.source_state : pair.mirror_state).forget();
  edit(pair.source, *few_edits().as("source later"), Disguise::no);
  edit(pair.mirror, *few_edits().as("mirror later"), Disguise::no);
  check_sync(pair, random_options());
  check_idle(pair, random_options());
}

RC_GTEST_PROP(PipelineProperty, DoubtsAreSettledByOneIdleSync, ()) {
  Pair pair;
  make_trees(pair);
  SyncOptions options = random_options();
  options.sync.compare_content = false;
  options.eager_digest = false;  // what was sent is read once more for its digest
  check_sync(pair, options);
  pass_time(pair);
  check_idle(pair, options);
  pass_time(pair);
  const Synced last = check_idle(pair, options);
  RC_ASSERT(last.reads == 0U);
}

}  // namespace
}  // namespace ssync::pipeline_test
