// What cannot be read, held or told apart is left alone, with everything below it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

Tree settled(Tree tree) {
  tree.settle_mirror();
  return tree;
}

TEST(PlannerProblems, NothingBelowAnUnreadableSourceRowIsDeleted) {
  Tree source, mirror;
  source.unreadable("d");
  mirror.file("d/x", "x");
  mirror.file("e", "e");
  const Outcome outcome = drive(source, settled(mirror));
  EXPECT_THAT(outcome.work(), ElementsAre("remove e"));
  ASSERT_THAT(outcome.problem_paths(), ElementsAre("d"));
  EXPECT_TRUE(outcome.problems[0].subtree);
  EXPECT_EQ(outcome.problems[0].row, 1U);
  EXPECT_EQ(outcome.totals.problems, 1U);
  EXPECT_EQ(outcome.totals.extras_kept, 0U);
}

TEST(PlannerProblems, AnUnreadableMirrorEntryLeavesTheSourcesSubtreeOut) {
  Tree source, mirror;
  source.file("d/x", "x");
  source.file("e", "e");
  mirror.unreadable("d");
  const Outcome outcome = drive(source, mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("request e"));
  ASSERT_THAT(outcome.problem_paths(), ElementsAre("d"));
  EXPECT_EQ(outcome.problems[0].text, "lstat");
  EXPECT_EQ(outcome.problems[0].row, 1U);
  EXPECT_EQ(outcome.digest, digest_of_source(source, outcome.problems, Driving::defaults()));
}

TEST(PlannerProblems, ADirectoryThatCannotBeListedIsTakenBack) {
  Tree source, mirror;
  source.file("d/x", "x");
  mirror.dir("d");
  Driving driving;
  Problem problem;
  problem.name = "d";
  problem.text = "opendir";
  problem.subtree = true;
  driving.block_problems.push_back(problem);
  const Outcome outcome = drive(source, settled(mirror), driving);
  EXPECT_THAT(outcome.steps(), IsEmpty());
  ASSERT_THAT(outcome.problem_paths(), ElementsAre("d"));
  EXPECT_EQ(outcome.problems[0].row, 1U);
  EXPECT_EQ(outcome.digest, digest_of_source(source, outcome.problems, driving.options));
}

TEST(PlannerProblems, AnExtraDirectoryAboveAProblemIsKept) {
  Tree mirror;
  mirror.unreadable("d/e/u");
  mirror.file("d/x", "x");
  const Outcome outcome = drive(Tree(), settled(mirror));
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.work(), ElementsAre("remove d/x"));
  EXPECT_EQ(outcome.totals.extras_kept, 2U);
}

TEST(PlannerProblems, AnExtraDirectoryThatHoldsAProgramsOwnIsKept) {
  Tree mirror;
  mirror.file("d/e/x", "x");
  mirror.file("f/x", "x");
  Driving driving;
  driving.holding_own = {"d/e"};
  const Outcome outcome = drive(Tree(), settled(mirror), driving);
  EXPECT_THAT(outcome.work(), UnorderedElementsAre("remove d/e/x", "remove f/x", "remove_directory f"));
  EXPECT_THAT(outcome.problem_paths(), IsEmpty());
  EXPECT_EQ(outcome.totals.extras_kept, 2U);
}

TEST(PlannerProblems, AKindChangeAboveAProblemIsAProblem) {
  Tree source, mirror;
  source.file("d", "now a file");
  mirror.unreadable("d/u");
  mirror.file("d/x/y", "extra");
  const Outcome outcome = drive(source, settled(mirror));
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_THAT(outcome.problem_paths(), ElementsAre("d/u", "d"));
}

TEST(PlannerProblems, WarningsOfAScanChangeNothing) {
  Tree tree;
  tree.file("a", "a");
  Driving driving;
  Problem problem;
  problem.name = "fifo";
  problem.warning = true;
  driving.block_problems.push_back(problem);
  const Outcome outcome = drive(tree, settled(tree), driving);
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_THAT(outcome.problem_paths(), ElementsAre("fifo"));
  EXPECT_EQ(outcome.totals.problems, 0U);
}

TEST(PlannerProblems, LinksThatTheMirrorCannotHoldAreWarnings) {
  Tree source, mirror;
  source.link("l", "target");
  mirror.file("l", "something");
  Driving driving;
  driving.options.attributes.symlinks = false;
  const Outcome outcome = drive(source, settled(mirror), driving);
  EXPECT_THAT(outcome.steps(), IsEmpty());
  ASSERT_THAT(outcome.problem_paths(), ElementsAre("l"));
  EXPECT_TRUE(outcome.problems[0].warning);
  EXPECT_EQ(outcome.digest, digest_of_source(source, outcome.problems, driving.options));
}

class PlannerCase : public testing::Test {
 protected:
  Outcome run() {
    driving_.options.attributes.case_sensitive = false;
    Outcome outcome = drive(source_, settled(mirror_), driving_);
    EXPECT_EQ(outcome.error, "");
    return outcome;
  }
  Tree source_, mirror_;
  Driving driving_;
};

TEST_F(PlannerCase, TheLaterOfTwoNamesThatCollideIsAProblem) {
  source_.file("Name", "1");
  source_.file("name/below", "22");
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("request Name"));
  EXPECT_THAT(outcome.problem_paths(), ElementsAre("name"));
  EXPECT_TRUE(outcome.problems[0].subtree);
  EXPECT_EQ(outcome.digest, digest_of_source(source_, outcome.problems, driving_.options));
}

TEST_F(PlannerCase, AFileThatChangesItsCaseIsRenamed) {
  source_.file("Name", "content").origin = Node::From{"name", checksum_of("content"), true};
  mirror_.file("name", "content");
  EXPECT_THAT(run().work(), ElementsAre("rename Name <- name"));
}

TEST_F(PlannerCase, OtherLettersComeBeforeOtherContent) {
  source_.file("Name", "new content");
  source_.link("Link", "new target");
  source_.file("Gone", "");
  mirror_.file("name", "content");
  mirror_.link("link", "target");
  mirror_.file("gone", "content");
  EXPECT_THAT(run().steps(),
              IsSupersetOf({"rename Name <- name (restore)", "request Name", "rename Link <- link (restore)",
                            "make_link Link", "rename Gone <- gone (restore)", "make_empty Gone"}));
  EXPECT_THAT(run().steps(), Not(Contains(HasSubstr("remove"))));
}

TEST_F(PlannerCase, LettersBeyondAsciiChangeTheirCaseToo) {
  source_.file("\xc3\x84rger", "new content");
  mirror_.file("\xc3\xa4rger", "content");
  EXPECT_THAT(run().work(),
              ElementsAre("rename \xc3\x84rger <- \xc3\xa4rger (restore)", "request \xc3\x84rger"));
}

TEST_F(PlannerCase, NamesThatAreSwappedInOtherLettersAreExchanged) {
  source_.file("A", "content of b").origin = Node::From{"b", checksum_of("content of b"), true};
  source_.file("B", "content of a").origin = Node::From{"a", checksum_of("content of a"), true};
  mirror_.file("a", "content of a");
  mirror_.file("b", "content of b");
  EXPECT_THAT(run().work(),
              ElementsAre("rename A <- a (restore)", "rename B <- b (restore)", "exchange A <- B"));
}

TEST_F(PlannerCase, AnotherNameOfWhatChangesItsCaseIsACopy) {
  source_.file("Name", "content").origin = Node::From{"name", checksum_of("content"), true};
  source_.file("Copy", "content").origin = Node::From{"name", checksum_of("content"), true};
  mirror_.file("name", "content");
  EXPECT_THAT(run().work(), ElementsAre("copy Copy <- name", "rename Name <- name"));
}

TEST_F(PlannerCase, ADirectoryThatChangesItsCaseMovesAsAWhole) {
  source_.file("Dir/x", "content").origin = Node::From{"dir/x", checksum_of("content"), true};
  source_.dir("Empty");
  mirror_.file("dir/x", "content");
  mirror_.dir("empty");
  EXPECT_THAT(run().work(), ElementsAre("rename_directory Dir <- dir", "rename_directory Empty <- empty",
                                        "set_metadata Dir/x <- dir/x (record)"));
}

TEST_F(PlannerCase, WhatDiffersInADirectoryThatChangesItsCaseComesAlong) {
  source_.file("Dir/x", "new content");
  source_.file("Dir/sub/new", "new");
  mirror_.file("dir/x", "content");
  mirror_.file("dir/extra", "extra");
  mirror_.dir("dir/sub");
  EXPECT_THAT(run().work(), ElementsAre("rename_directory Dir <- dir", "remove Dir/extra", "request Dir/x",
                                        "request Dir/sub/new"));
}

TEST_F(PlannerCase, ADirectoryIsMadeAnewWhenNamesInItChangeTheirCaseToo) {
  source_.file("Dir/X", "content").origin = Node::From{"dir/x", checksum_of("content"), true};
  mirror_.file("dir/x", "content");
  EXPECT_THAT(run().work(), ElementsAre("stage_rename Dir/X <- dir/x", "remove_directory dir",
                                        "make_directory Dir", "publish_staged Dir/X"));
}

TEST_F(PlannerCase, UnderNoDeleteATwinIsAProblem) {
  source_.file("Dir/x", "content");
  mirror_.file("dir/x", "content");
  driving_.options.delete_extra = DeleteExtra::no;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_THAT(outcome.problem_paths(), ElementsAre("Dir"));
  EXPECT_EQ(outcome.digest, digest_of_source(source_, outcome.problems, driving_.options));
}

}  // namespace
}  // namespace ssync::planner::test
