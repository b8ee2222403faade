// Directories that move as a whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class PlannerMoveDirectory : public testing::Test {
 protected:
  Node& old(const std::string& path, const std::string& content) {
    Node& node = mirror_.file(path, content);
    node.knows_checksum = true;
    return node;
  }
  /// The source's client saw it under its old path before.
  Node& moved(const std::string& path, const std::string& from, const std::string& content) {
    Node& node = source_.file(path, content);
    node.origin = Node::From{from, checksum_of(content), true};
    return node;
  }
  std::vector<std::string> work(Options options = Driving::defaults()) {
    mirror_.settle_mirror();
    Driving driving;
    driving.options = std::move(options);
    const Outcome outcome = drive(source_, mirror_, driving);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.digest, digest_of_source(source_, {}, driving.options));
    totals_ = outcome.totals;
    return outcome.work();
  }
  Tree source_, mirror_;
  PlanTotals totals_;
};

TEST_F(PlannerMoveDirectory, MovesOnceWhateverIsInIt) {
  old("old/a", "A");
  old("old/empty", "");
  old("old/sub/b", "B");
  mirror_.link("old/link", "a");
  mirror_.dir("old/nothing");
  moved("new/a", "old/a", "A");
  source_.file("new/empty", "");
  moved("new/sub/b", "old/sub/b", "B");
  source_.link("new/link", "a");
  source_.dir("new/nothing");
  EXPECT_THAT(work(), ElementsAre("rename_directory new <- old", "set_metadata new/a <- old/a (record)",
                                  "set_metadata new/empty <- old/empty (record)",
                                  "set_metadata new/link <- old/link (record)",
                                  "set_metadata new/sub/b <- old/sub/b (record)"));
  EXPECT_EQ(totals_.deletes, 0U);
  EXPECT_EQ(totals_.renames, 1U);
}

TEST_F(PlannerMoveDirectory, WhatIsNewInItIsMadeAfterTheMove) {
  old("old/a", "A");
  moved("new/a", "old/a", "A");
  source_.file("new/b", "new content");
  source_.dir("new/sub");
  EXPECT_THAT(work(), ElementsAre("rename_directory new <- old", "make_directory new/sub", "request new/b",
                                  "set_metadata new/a <- old/a (record)"));
}

TEST_F(PlannerMoveDirectory, MetadataThatDiffersIsSetAfterTheMove) {
  old("old/a", "A");
  old("old/b", "B");
  moved("new/a", "old/a", "A").values.mode = 0600;
  moved("new/b", "old/b", "B");
  EXPECT_THAT(work(), ElementsAre("rename_directory new <- old", "set_metadata new/a",
                                  "set_metadata new/b <- old/b (record)"));
}

TEST_F(PlannerMoveDirectory, WhatItLostIsRemovedAfterTheMove) {
  old("old/gone", "G");
  old("old/lost/x", "X");
  old("old/sub/b", "B");
  old("old/sub/c", "C");
  old("old/z", "Z");
  moved("new/sub/b", "old/sub/b", "B");
  moved("new/sub/c", "old/sub/c", "C");
  moved("new/z", "old/z", "Z");
  EXPECT_THAT(work(),
              ElementsAre("rename_directory new <- old", "remove new/lost/x", "remove_directory new/lost",
                          "remove new/gone", "set_metadata new/z <- old/z (record)",
                          "set_metadata new/sub/b <- old/sub/b (record)",
                          "set_metadata new/sub/c <- old/sub/c (record)"));
  EXPECT_EQ(totals_.deletes, 3U);
}

TEST_F(PlannerMoveDirectory, WhatChangedInItIsReplacedAfterTheMove) {
  old("old/a", "A");
  old("old/b", "B");
  old("old/c", "C");
  mirror_.link("old/l", "a");
  moved("new/a", "old/a", "A");
  moved("new/b", "old/b", "B");
  source_.file("new/c", "changed");
  source_.link("new/l", "b");
  EXPECT_THAT(work(),
              ElementsAre("rename_directory new <- old", "make_link new/l", "request new/c",
                          "set_metadata new/a <- old/a (record)", "set_metadata new/b <- old/b (record)"));
  EXPECT_EQ(totals_.deletes, 0U);
}

TEST_F(PlannerMoveDirectory, WhatWentElsewhereIsTakenFromItsNewPlace) {
  old("old/a", "A");
  old("old/b", "B");
  old("old/out", "O");
  moved("elsewhere", "old/out", "O");
  moved("new/a", "old/a", "A");
  moved("new/b", "old/b", "B");
  EXPECT_THAT(work(),
              ElementsAre("rename_directory new <- old", "rename elsewhere <- new/out",
                          "set_metadata new/a <- old/a (record)", "set_metadata new/b <- old/b (record)"));
}

TEST_F(PlannerMoveDirectory, NamesThatWereSwappedInItAreExchangedAtTheNewPlace) {
  old("old/a", "A");
  old("old/b", "B");
  old("old/c", "C");
  old("old/d", "D");
  moved("new/a", "old/b", "B");
  moved("new/b", "old/a", "A");
  moved("new/c", "old/c", "C");
  moved("new/d", "old/d", "D");
  EXPECT_THAT(work(),
              ElementsAre("rename_directory new <- old", "exchange new/a <- new/b",
                          "set_metadata new/c <- old/c (record)", "set_metadata new/d <- old/d (record)"));
}

TEST_F(PlannerMoveDirectory, DirectoriesLeaveOneThatMovesInListOrder) {
  old("old/a", "A");
  old("old/b", "B");
  old("old/early/x", "X");
  old("old/late/y", "Y");
  moved("early/x", "old/early/x", "X");
  moved("new/a", "old/a", "A");
  moved("new/b", "old/b", "B");
  moved("z/y", "old/late/y", "Y");
  const std::vector<std::string> steps = work();
  EXPECT_THAT(steps,
              testing::IsSupersetOf({"rename_directory early <- old/early", "rename_directory new <- old",
                                     "rename_directory z <- new/late"}));
}

TEST_F(PlannerMoveDirectory, OneWithLittleInCommonIsMadeAnew) {
  old("old/LICENSE", "L");
  for (const char* name : {"old/a", "old/b"})
    old(name, name);
  moved("new/LICENSE", "old/LICENSE", "L");
  source_.file("new/x", "other");
  EXPECT_THAT(work(), Not(Contains(testing::HasSubstr("rename_directory"))));
}

TEST_F(PlannerMoveDirectory, OneThatDiffersStaysWhereDeletesAreWithheld) {
  Options options = Driving::defaults();
  options.client_max_delete = 0;
  old("old/gone", "G");
  old("old/a", "A");
  old("old/b", "B");
  moved("new/a", "old/a", "A");
  moved("new/b", "old/b", "B");
  EXPECT_THAT(work(options),
              ElementsAre("make_directory new", "rename new/a <- old/a", "rename new/b <- old/b"));
}

TEST_F(PlannerMoveDirectory, AFileWhereADirectoryWasIsNotTakenAlong) {
  old("old/a", "A");
  old("old/b", "B");
  old("old/c", "C");
  old("old/d/x", "X");
  moved("new/a", "old/a", "A");
  moved("new/b", "old/b", "B");
  moved("new/c", "old/c", "C");
  source_.file("new/d", "a file");
  EXPECT_THAT(work(), Not(Contains(testing::HasSubstr("rename_directory"))));
}

TEST_F(PlannerMoveDirectory, OneWhoseOnlyFileIsReadByAnotherDoesNotMove) {
  old("old/a", "A");
  moved("new/a", "old/a", "A");
  moved("other", "old/a", "A");
  EXPECT_THAT(work(), Not(Contains(testing::HasSubstr("rename_directory"))));
}

TEST_F(PlannerMoveDirectory, AFileThatAnotherReadsIsCopiedFromItsNewPlace) {
  old("old/a", "A");
  old("old/b", "B");
  moved("another", "old/a", "A");
  moved("new/a", "old/a", "A");
  moved("new/b", "old/b", "B");
  EXPECT_THAT(work(),
              ElementsAre("rename_directory new <- old", "copy another <- new/a",
                          "set_metadata new/a <- old/a (record)", "set_metadata new/b <- old/b (record)"));
}

TEST_F(PlannerMoveDirectory, NothingMovesWhenNothingMayBeDeleted) {
  Options options = Driving::defaults();
  options.delete_extra = DeleteExtra::no;
  old("old/a", "A");
  moved("new/a", "old/a", "A");
  EXPECT_THAT(work(options), Not(Contains(testing::HasSubstr("rename_directory"))));
}

TEST_F(PlannerMoveDirectory, OneThatTakesThePlaceOfAnotherKindDoesNotMove) {
  old("new", "a file");
  old("old/a", "A");
  moved("new/a", "old/a", "A");
  EXPECT_THAT(work(), Not(Contains(testing::HasSubstr("rename_directory"))));
}

TEST_F(PlannerMoveDirectory, TwoDirectoriesThatAreMerged) {
  old("one/a", "A");
  old("two/b", "B");
  moved("both/a", "one/a", "A");
  moved("both/b", "two/b", "B");
  EXPECT_THAT(work(), ElementsAre("rename_directory both <- one", "rename both/b <- two/b",
                                  "remove_directory two", "set_metadata both/a <- one/a (record)"));
}

}  // namespace
}  // namespace ssync::planner::test
