// What is handed out before the plan: only where nothing can be lost by it, and nothing that the plan would
// not have.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "drive.h"
#include "random_trees.h"

namespace ssync::planner::test {
namespace {

using testing::ElementsAre;

class EarlyCreations : public testing::Test {
 protected:
  EarlyCreations() {
    driving_.options.early_creations = true;
    driving_.options.mirror_synced_before = false;
    driving_.mirror_first = true;
    source_.file("a/one", "1");
    source_.file("a/two", "2");
    source_.file("b/empty", "");
    source_.file("b/full", "3");
    source_.link("b/link", "full");
    source_.file("c/last", "4");
    source_.file("top", "5");
  }
  Outcome run() {
    Outcome outcome = drive(source_, mirror_, driving_);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.digest, digest_of_source(source_, outcome.problems, driving_.options));
    return outcome;
  }
  Tree source_, mirror_;
  Driving driving_;
};

TEST_F(EarlyCreations, ComeDirectoryByDirectoryAndTheRestWithThePlan) {
  driving_.batch_rows = 1;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(),
              ElementsAre("make_directory a", "make_directory b", "make_directory c", "request top",
                          "request a/one", "request a/two", "make_empty b/empty", "make_link b/link",
                          "request b/full", "request c/last"));
  EXPECT_EQ(outcome.early, 6U);  // b is complete with the list's last row
  EXPECT_EQ(outcome.totals.requests, 5U);
  EXPECT_EQ(outcome.totals.request_bytes, 5U);
}

TEST_F(EarlyCreations, AFreshDirectoryOfFilesAloneIsFilledAsAWhole) {
  std::vector<std::string> filling;
  for (const Change& change : run().changes) {
    if (const auto* request = std::get_if<Change::Request>(&change.step); request && request->fills_directory)
      filling.push_back(join(change.path()));
  }
  EXPECT_THAT(filling, ElementsAre("a/one", "a/two", "c/last"));
}

TEST_F(EarlyCreations, NoneWithoutBeingAskedFor) {
  driving_.batch_rows = 1;
  driving_.options.early_creations = false;
  EXPECT_EQ(run().early, 0U);
}

TEST_F(EarlyCreations, NoneOnAMirrorThatHoldsSomething) {
  driving_.batch_rows = 1;
  mirror_.file("zz", "old");
  EXPECT_EQ(run().early, 0U);
}

TEST_F(EarlyCreations, NoneOnAMirrorWithAProblem) {
  driving_.batch_rows = 1;
  Problem problem;
  problem.text = "could not be listed";
  problem.warning = true;
  driving_.block_problems.push_back(problem);
  const Outcome outcome = drive(source_, mirror_, driving_);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.early, 0U);
}

TEST_F(EarlyCreations, NoneOfADirectoryThatCannotBeRead) {
  source_.erase_all("b");
  source_.unreadable("b");
  driving_.batch_rows = 1;
  const Outcome outcome = run();
  EXPECT_GT(outcome.early, 0U);
  EXPECT_THAT(outcome.problem_paths(), ElementsAre("b"));
  EXPECT_FALSE(outcome.mirror.has("b"));
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::ranges::sort(lines);
  return lines;
}

// Inodes are numbered in the order of making.
std::string text_without_inodes(Tree tree) {
  for (const std::string& path : tree.paths())
    tree.find(path)->inode = 0;
  return tree.text();
}

RC_GTEST_PROP(EarlyCreationsProperty, TheyAreThePlansOwn, (const std::vector<Edit>& edits)) {
  Tree source;
  edit(source, edits);
  Driving driving;
  driving.options.mirror_synced_before = *rc::gen::arbitrary<bool>();
  driving.options.compare_content = *rc::gen::arbitrary<bool>();
  driving.options.attributes.case_sensitive = *rc::gen::arbitrary<bool>();
  driving.options.change_batch = *rc::gen::inRange<std::size_t>(1, 5);
  driving.batch_rows = *rc::gen::inRange<std::size_t>(1, 10);
  const Outcome expected = drive(source, Tree(), driving);
  driving.options.early_creations = true;
  driving.mirror_first = *rc::gen::arbitrary<bool>();
  driving.takes_early_at_times = *rc::gen::arbitrary<bool>();
  driving.answer_seed = *rc::gen::arbitrary<std::uint64_t>();
  const Outcome outcome = drive(source, Tree(), driving);
  RC_LOG() << "source:\n" << source.text();
  RC_ASSERT(outcome.error == std::string());
  RC_ASSERT(sorted(outcome.steps()) == sorted(expected.steps()));
  RC_ASSERT(outcome.totals == expected.totals);
  RC_ASSERT(outcome.digest == expected.digest);
  RC_ASSERT(text_without_inodes(outcome.mirror) == text_without_inodes(expected.mirror));
  RC_CLASSIFY(outcome.early > 0, "some");
}

}  // namespace
}  // namespace ssync::planner::test
