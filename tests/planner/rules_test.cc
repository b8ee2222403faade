// The rules for one path, one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Both sides as a sync left them.
struct Pair {
  Tree source, mirror;
};

Pair synced(const Tree& tree) {
  Pair pair{tree, tree};
  pair.mirror.settle_mirror();
  return pair;
}

void expect_equal(const Outcome& outcome, const Tree& source) {
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.mirror.paths(), source.paths());
  for (const std::string& path : source.paths()) {
    const Node &is = *outcome.mirror.find(path), &should = *source.find(path);
    EXPECT_EQ(is.values, should.values) << path;
    EXPECT_EQ(is.content, should.content) << path;
    EXPECT_EQ(is.target, should.target) << path;
  }
  EXPECT_EQ(outcome.digest, digest_of_source(source, outcome.problems, Driving::defaults()));
}

Tree small_tree() {
  Tree tree;
  tree.file("a", "alpha");
  tree.file("d/b", "beta");
  tree.link("d/l", "b");
  tree.dir("e");
  return tree;
}

TEST(PlannerRules, EqualTreesNeedNothing) {
  const Pair pair = synced(small_tree());
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_THAT(outcome.queries, IsEmpty());
  EXPECT_EQ(outcome.totals.unchanged, 5U);
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, EverythingIsMadeOnAnEmptyMirrorParentsFirst) {
  const Tree source = small_tree();
  const Outcome outcome = drive(source, Tree());
  EXPECT_THAT(outcome.steps(),
              ElementsAre("make_directory d", "make_directory e", "make_link d/l", "request a", "request d/b",
                          "set_metadata e", "set_metadata d", "set_metadata . (restore)"));
  EXPECT_EQ(outcome.totals.created, 3U);
  EXPECT_EQ(outcome.totals.requests, 2U);
  expect_equal(outcome, source);
}

TEST(PlannerRules, ExtrasGoFromTheBottomUp) {
  Pair pair = synced(small_tree());
  pair.source.erase_all("d");
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(),
              ElementsAre("remove d/l", "remove d/b", "remove_directory d", "set_metadata . (restore)"));
  EXPECT_EQ(outcome.totals.deletes, 3U);
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, NoDeleteKeepsExtras) {
  Pair pair = synced(small_tree());
  pair.source.erase_all("d");
  Driving driving;
  driving.options.delete_extra = DeleteExtra::no;
  const Outcome outcome = drive(pair.source, pair.mirror, driving);
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_EQ(outcome.totals.extras_kept, 3U);
  EXPECT_EQ(outcome.totals.deletes, 0U);
  EXPECT_EQ(outcome.digest, digest_of_source(pair.source, {}, driving.options));
}

TEST(PlannerRules, AnotherSizeIsRequestedWithoutAQuestion) {
  Pair pair = synced(small_tree());
  pair.source.file("a", "alphabet");
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), ElementsAre("request a", "set_metadata . (restore)"));
  EXPECT_EQ(outcome.changes[0].at_path, seen_of(*pair.mirror.find("a")));
  EXPECT_THAT(outcome.queries, IsEmpty());
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, AnotherModeCostsNoReadWhenNothingIsInDoubt) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->values.mode = 0600;
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), ElementsAre("set_metadata a"));
  EXPECT_EQ(outcome.changes[0].checksum, checksum_of("alpha"));
  EXPECT_THAT(outcome.queries, IsEmpty());
  EXPECT_EQ(outcome.totals.metadata, 1U);
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, ChangedModeWithDoubtCostsOneReadAndNoTransfer) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->values.mode = 0600;
  pair.source.find("a")->doubt = true;
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), ElementsAre("set_metadata a"));
  EXPECT_THAT(outcome.reads(), ElementsAre("source checksum a"));
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, AnEditThatKeepsSizeAndTimeIsSeen) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->content = "ALPHA";
  pair.source.find("a")->doubt = true;
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("request a"));
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, WhatKeptChangingIsRequestedFirstWhateverTheStatsSay) {
  Pair pair = synced(small_tree());
  pair.source.file("0", "new, and before it in the list");
  pair.mirror.find("d/b")->retry = true;
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("request d/b", "request 0"));
  EXPECT_FALSE(
      std::get<Change::Request>(outcome.changes[0].step).any_content);  // what is there is a whole copy
  EXPECT_TRUE(std::get<Change::Request>(outcome.changes[1].step).any_content);
  EXPECT_THAT(outcome.reads(), IsEmpty());
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, AnyContentIsBetterThanOneThatWasReadWhileItChanged) {
  Pair pair = synced(small_tree());
  Node& there = *pair.mirror.find("a");
  there.retry = there.doubt = true;
  there.knows_checksum = false;
  there.wanted.reset();
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("request a"));
  EXPECT_TRUE(std::get<Change::Request>(outcome.changes[0].step).any_content);
}

TEST(PlannerRules, ComparingContentSettlesWhatKeptChanging) {
  Pair pair = synced(small_tree());
  pair.mirror.find("a")->retry = true;
  Driving driving;
  driving.options.compare_content = true;
  EXPECT_THAT(drive(pair.source, pair.mirror, driving).work(), IsEmpty());
}

TEST(PlannerRules, AnEditOnTheMirrorIsSeen) {
  Pair pair = synced(small_tree());
  Node& edited = *pair.mirror.find("a");
  edited.content = "ALPHA";
  edited.doubt = true;
  edited.knows_checksum = false;
  edited.wanted.reset();
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("request a"));
  EXPECT_THAT(outcome.reads(), ElementsAre("mirror checksum a", "source checksum a"));
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, ASettledDoubtIsRecordedAndCountsAsUnchanged) {
  Pair pair = synced(small_tree());
  Node& node = *pair.mirror.find("a");
  node.doubt = true;
  node.knows_checksum = false;
  node.wanted.reset();
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), ElementsAre("set_metadata a (record)"));
  EXPECT_EQ(outcome.totals.metadata, 0U);
  EXPECT_EQ(outcome.totals.unchanged, 5U);
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, ProvenChecksumsThatDifferAreBelievedBeforeTheStat) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->content = "ALPHA";
  pair.source.find("a")->knows_checksum = true;
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("request a"));
  EXPECT_THAT(outcome.reads(), IsEmpty());
}

TEST(PlannerRules, ContentThatCannotBeReadIsNotTakenAsEqual) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->doubt = true;
  Driving driving;
  driving.refuse_answers = true;
  const Outcome outcome = drive(pair.source, pair.mirror, driving);
  EXPECT_THAT(outcome.work(), ElementsAre("request a"));
}

TEST(PlannerRules, CompareContentReadsEveryFileOnBothSides) {
  Pair pair = synced(small_tree());
  pair.source.find("d/b")->content = "BETA";
  Driving driving;
  driving.options.compare_content = true;
  const Outcome outcome = drive(pair.source, pair.mirror, driving);
  EXPECT_THAT(outcome.reads(), ElementsAre("mirror checksum a", "mirror checksum d/b", "source checksum a",
                                           "source checksum d/b"));
  EXPECT_THAT(outcome.work(), ElementsAre("request d/b"));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.digest, digest_of_source(pair.source, {}, driving.options));
}

TEST(PlannerRules, LinkTargetsAreReplacedAndLinkTimesSet) {
  Tree tree;
  tree.link("l", "x");
  tree.link("m", "y");
  Pair pair = synced(tree);
  pair.source.find("l")->target = "z";
  pair.source.find("m")->values.mtime = {2000, 0};
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.work(), ElementsAre("make_link l", "set_metadata m"));
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, WantedValuesThatTheMirrorCannotHoldAreRight) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->values.mode = 02755;
  pair.mirror.find("a")->values.mode = 0755;
  pair.mirror.find("a")->wanted = pair.source.find("a")->values;
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_EQ(outcome.digest, digest_of_source(pair.source, {}, Driving::defaults()));
}

TEST(PlannerRules, ProjectedValuesDecide) {
  Pair pair = synced(small_tree());
  pair.source.find("a")->values.mtime = {1001, 500};
  pair.source.find("a")->values.owner = {1000, 1000};
  Driving driving;
  driving.options.attributes.mtime_granularity_ns = 2'000'000'000;
  const Outcome outcome = drive(pair.source, pair.mirror, driving);
  EXPECT_THAT(outcome.steps(), IsEmpty());
}

TEST(PlannerRules, AChangedDirectoryIsSetOnceAfterItsContent) {
  Pair pair = synced(small_tree());
  pair.source.find("d")->values.mode = 0500;
  pair.source.file("d/n", "new");
  const Outcome outcome = drive(pair.source, pair.mirror);
  EXPECT_THAT(outcome.steps(), ElementsAre("request d/n", "set_metadata d", "set_metadata . (restore)"));
  EXPECT_EQ(outcome.totals.metadata, 1U);
  expect_equal(outcome, pair.source);
}

TEST(PlannerRules, AnEmptyDirectoryIsReplacedWhenNothingMayBeDeleted) {
  Tree source, mirror;
  source.file("p", "content");
  mirror.dir("p");
  mirror.settle_mirror();
  Driving driving;
  driving.options.delete_extra = DeleteExtra::no;
  const Outcome outcome = drive(source, mirror, driving);
  EXPECT_THAT(outcome.work(), ElementsAre("remove_directory p", "request p"));
  expect_equal(outcome, source);
}

class PlannerSpecials : public testing::Test {
 protected:
  Outcome run() {
    mirror_.settle_mirror();
    Outcome outcome = drive(source_, mirror_, driving_);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.digest, digest_of_source(source_, outcome.problems, driving_.options));
    driving_.by_sums = true;
    EXPECT_EQ(drive(source_, mirror_, driving_).steps(), outcome.steps());
    return outcome;
  }
  Tree source_, mirror_;
  Driving driving_;
};

TEST_F(PlannerSpecials, AreNotMadeButCounted) {
  source_.special("d/fifo");
  source_.special("null", 0x1032);
  mirror_.dir("d");
  const Outcome outcome = run();
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.totals.specials, 2U);
}

TEST_F(PlannerSpecials, AreNamedWhenAsked) {
  source_.special("fifo");
  driving_.options.name_specials = true;
  const Outcome outcome = run();
  ASSERT_THAT(outcome.problem_paths(), ElementsAre("fifo"));
  EXPECT_TRUE(outcome.problems[0].warning);
  EXPECT_EQ(outcome.problems[0].row, 1U);
  EXPECT_EQ(outcome.totals.problems, 0U);
}

TEST_F(PlannerSpecials, OfTheMirrorAreExtrasLikeAnyOther) {
  mirror_.special("fifo");
  mirror_.special("gone/socket", 12);
  EXPECT_THAT(run().work(), ElementsAre("remove gone/socket", "remove_directory gone", "remove fifo"));
}

TEST_F(PlannerSpecials, AtThePathOfASpecialOneAreLeftAlone) {
  source_.special("same");
  mirror_.special("same");
  source_.special("other");
  mirror_.special("other", 12);
  const Outcome outcome = run();
  EXPECT_THAT(outcome.steps(), IsEmpty());
  EXPECT_EQ(outcome.totals.specials, 1U);
  EXPECT_EQ(outcome.totals.deletes, 0U);
}

TEST_F(PlannerSpecials, AFileAtThePathOfASpecialOneIsExtra) {
  source_.special("p");
  mirror_.file("p", "content");
  EXPECT_THAT(run().work(), ElementsAre("remove p"));
}

TEST(PlannerRules, VerifyTakesAttributesAsTheyAre) {
  Pair pair = synced(small_tree());
  pair.mirror.find("a")->values.mode = 0600;  // as if it could not be set when the file was written
  Driving driving;
  EXPECT_THAT(drive(pair.source, pair.mirror, driving).steps(), IsEmpty());
  driving.options.compare_content = driving.options.verify = true;
  EXPECT_THAT(drive(pair.source, pair.mirror, driving).work(), ElementsAre("set_metadata a"));
}

class PlannerKinds : public testing::TestWithParam<std::tuple<Kind, Kind>> {
 protected:
  static void make(Tree& tree, Kind kind) {
    if (kind == Kind::file) tree.file("p", "content");
    if (kind == Kind::symlink) tree.link("p", "target");
    if (kind == Kind::special) tree.special("p");
    if (kind != Kind::directory) return;
    tree.file("p/f", "inside");
    tree.dir("p/q");
  }
};

TEST_P(PlannerKinds, AreFreedAndMadeAnew) {
  Tree source, mirror;
  make(source, std::get<1>(GetParam()));
  make(mirror, std::get<0>(GetParam()));
  mirror.settle_mirror();
  const Outcome outcome = drive(source, mirror);
  expect_equal(outcome, source);
  const bool is_change = std::get<0>(GetParam()) != std::get<1>(GetParam());
  EXPECT_EQ(outcome.totals.deletes, is_change ? mirror.size() : 0U);
}

// As rsync does it: only what would take something with it stays.
TEST_P(PlannerKinds, AreReplacedWhenNothingMayBeDeletedButADirectoryWithContent) {
  Tree source, mirror;
  make(source, std::get<1>(GetParam()));
  make(mirror, std::get<0>(GetParam()));
  mirror.file("extra", "stays");
  mirror.dir("extras/too");
  mirror.settle_mirror();
  if (std::get<0>(GetParam()) == std::get<1>(GetParam())) return;
  Driving driving;
  driving.options.delete_extra = DeleteExtra::no;
  const Outcome outcome = drive(source, mirror, driving);
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(outcome.mirror.has("extra"));
  EXPECT_TRUE(outcome.mirror.has("extras/too"));
  if (std::get<0>(GetParam()) != Kind::directory) {
    EXPECT_EQ(outcome.totals.deletes, 1U);
    EXPECT_EQ(outcome.totals.extras_kept, 3U);
    EXPECT_THAT(outcome.problem_paths(), IsEmpty());
    for (const std::string& path : source.paths()) {
      ASSERT_TRUE(outcome.mirror.has(path)) << path;
      EXPECT_EQ(outcome.mirror.find(path)->values, source.find(path)->values) << path;
    }
    EXPECT_EQ(outcome.digest, digest_of_source(source, {}, driving.options));
    return;
  }
  EXPECT_THAT(outcome.work(), IsEmpty());
  EXPECT_EQ(outcome.totals.deletes, 0U);
  ASSERT_THAT(outcome.problem_paths(), ElementsAre("p"));
  EXPECT_EQ(outcome.problems[0].subtree, std::get<1>(GetParam()) == Kind::directory);
  EXPECT_EQ(outcome.problems[0].row, 1U);
  EXPECT_EQ(outcome.digest, digest_of_source(source, outcome.problems, driving.options));
}

INSTANTIATE_TEST_SUITE_P(All, PlannerKinds,
                         testing::Combine(testing::Values(Kind::file, Kind::directory, Kind::symlink,
                                                          Kind::special),
                                          testing::Values(Kind::file, Kind::directory, Kind::symlink)));

}  // namespace
}  // namespace ssync::planner::test
