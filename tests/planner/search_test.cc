// Where the content of new paths comes from, by which evidence, and at what cost in reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class PlannerSearch : public testing::Test {
 protected:
  // Both sides as a sync left them: `path` is on both, `content` is known to the mirror by checksum.
  void both(const std::string& path, const std::string& content, std::int64_t mtime = 1000) {
    source_.file(path, content, mtime);
    old(path, content, mtime);
  }
  Node& old(const std::string& path, const std::string& content, std::int64_t mtime = 1000) {
    Node& node = mirror_.file(path, content, mtime);
    node.wanted = node.values;
    node.knows_checksum = true;
    return node;
  }
  Outcome run(const Driving& driving = {}) {
    Outcome outcome = drive(source_, mirror_, driving);
    EXPECT_EQ(outcome.error, "");
    return outcome;
  }
  Tree source_, mirror_;
};

TEST_F(PlannerSearch, AProvenOriginIsRenamedWithoutARead) {
  old("old/f", "content");
  Node& moved = source_.file("new/g", "content");
  moved.origin = Node::From{"old/f", checksum_of("content"), true};
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(),
              ElementsAre("make_directory new", "rename new/g <- old/f", "remove_directory old"));
  EXPECT_THAT(outcome.reads(), IsEmpty());
  EXPECT_THAT(outcome.queries, SizeIs(1));
  EXPECT_EQ(outcome.changes[1].checksum, checksum_of("content"));
}

TEST_F(PlannerSearch, AnOriginWithAnotherCtimeCostsOneReadOfTheSource) {
  old("old", "content");
  Node& moved = source_.file("new", "content");
  moved.doubt = true;
  moved.origin = Node::From{"old", checksum_of("content"), false};
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("rename new <- old"));
  EXPECT_THAT(outcome.reads(), ElementsAre("source checksum new"));
}

TEST_F(PlannerSearch, AnOriginThatWasRewrittenIsNoEvidence) {
  old("old", "content");
  Node& moved = source_.file("new", "CONTENT");
  moved.doubt = true;
  moved.origin = Node::From{"old", checksum_of("content"), false};
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("remove old", "request new"));
  // The source's checksum is known by then, and rules the old file out.
  EXPECT_THAT(outcome.reads(), ElementsAre("source checksum new"));
}

TEST_F(PlannerSearch, AnOriginInDoubtOnTheMirrorIsNoEvidence) {
  Node& edited = old("old", "Content");
  edited.doubt = true;
  edited.knows_checksum = false;
  Node& moved = source_.file("new", "content");
  moved.origin = Node::From{"old", checksum_of("content"), true};
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("remove old", "request new"));
}

TEST_F(PlannerSearch, OfTwoNewNamesOfOneOriginOneIsACopy) {
  old("old", "content");
  for (const char* path : {"x", "y"}) {
    source_.file(path, "content").origin = Node::From{"old", checksum_of("content"), true};
  }
  EXPECT_THAT(run().work(), ElementsAre("copy y <- old", "rename x <- old"));
}

TEST_F(PlannerSearch, ACopyOfAFileThatStaysIsFoundByDigest) {
  both("a", "content");
  source_.file("copy", "content", 5).doubt = true;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("copy copy <- a"));
  EXPECT_THAT(outcome.reads(), ElementsAre("mirror digest a", "source digest copy"));
  EXPECT_EQ(outcome.changes[0].digest, digest_of("content"));
  EXPECT_EQ(outcome.changes[0].wanted, source_.find("copy")->values);
}

TEST_F(PlannerSearch, EqualChecksumsAloneNeverJustifyACopy) {
  both("a", "content");
  source_.file("copy", "content", 5).knows_checksum = true;
  Driving driving;
  driving.refuse_answers = true;
  const Outcome outcome = run(driving);
  EXPECT_THAT(outcome.work(), ElementsAre("request copy"));
}

TEST_F(PlannerSearch, NothingIsReadWhenNoFileHasTheSize) {
  both("a", "content");
  source_.file("new", "other size").doubt = true;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("request new"));
  EXPECT_THAT(outcome.queries, IsEmpty());
}

TEST_F(PlannerSearch, NothingIsReadWhenEveryChecksumDiffers) {
  both("a", "content");
  both("b", "CONTENT");
  source_.file("new", "Content").knows_checksum = true;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("request new"));
  EXPECT_THAT(outcome.queries, IsEmpty());
}

TEST_F(PlannerSearch, AtMostTwoCandidatesAreReadBestEvidenceFirst) {
  both("a", "aaa", 1);
  both("d/new", "bbb", 2);
  both("e", "ccc", 77);
  both("f", "ddd", 3);
  source_.file("new", "ccc", 77).doubt = true;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("copy new <- e"));
  EXPECT_THAT(outcome.reads(), ElementsAre("mirror digest d/new", "mirror digest e", "source digest new"));
}

TEST_F(PlannerSearch, AllKnownDigestsAreLookedUpWithoutARead) {
  for (int i = 0; i < 10; ++i) {
    const std::string path = "f" + std::to_string(i);
    both(path, "text" + std::to_string(i));
    mirror_.find(path)->knows_digest = true;
  }
  source_.file("new", "text9", 5).knows_digest = true;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("copy new <- f9"));
  EXPECT_THAT(outcome.reads(), IsEmpty());
}

TEST_F(PlannerSearch, TwoNewCopiesOfOneFileAreBothFound) {
  both("a", "content");
  source_.file("x", "content", 5).doubt = true;
  source_.file("y", "content", 6).doubt = true;
  EXPECT_THAT(run().work(), ElementsAre("copy x <- a", "copy y <- a"));
}

TEST_F(PlannerSearch, GoneFilesAreRenamedAndFilesThatStayAreCopied) {
  both("a", "content");
  old("gone", "content");
  source_.file("x", "content", 5).doubt = true;
  EXPECT_THAT(run().work(), ElementsAre("rename x <- gone"));
}

TEST_F(PlannerSearch, UnderNoDeleteAGoneFileIsCopied) {
  old("gone", "content");
  source_.file("x", "content", 5).doubt = true;
  Driving driving;
  driving.options.delete_extra = DeleteExtra::no;
  EXPECT_THAT(run(driving).work(), ElementsAre("copy x <- gone"));
}

TEST_F(PlannerSearch, EmptyFilesAreMadeWithoutAQuestion) {
  both("a", "");
  source_.file("b", "").doubt = true;
  const Outcome outcome = run();
  EXPECT_THAT(outcome.work(), ElementsAre("make_empty b"));
  EXPECT_EQ(outcome.changes[0].checksum, checksum_of(""));
  EXPECT_THAT(outcome.queries, IsEmpty());
}

TEST_F(PlannerSearch, AChangedFileIsFilledFromAnotherAndItsOldContentServesAThird) {
  old("a", "old of a");
  both("b", "new of a");
  source_.file("a", "new of a", 5).doubt = true;
  source_.file("c", "old of a", 6).doubt = true;
  // a's old content moves on as a is filled at once; the copy is made before.
  EXPECT_THAT(run().work(), ElementsAre("stage_copy a <- b", "rename c <- a", "publish_staged a"));
}

TEST_F(PlannerSearch, TwoNamesOfOneInodeAreNotRenamedOntoEachOther) {
  Node& kept = old("a", "content");
  kept.links = 2;
  kept.doubt = true;
  kept.knows_checksum = false;
  const Node other = kept;
  mirror_.put("gone", other);
  source_.file("a", "content", 5).doubt = true;
  Driving driving;
  driving.refuse_answers = true;
  mirror_.find("gone")->knows_digest = mirror_.find("a")->knows_digest = true;
  source_.find("a")->knows_digest = true;
  EXPECT_THAT(run(driving).work(), ElementsAre("remove gone", "request a"));
}

TEST_F(PlannerSearch, CompareContentTrustsNoIndex) {
  old("old", "content").knows_digest = true;
  Node& moved = source_.file("new", "content");
  moved.knows_checksum = moved.knows_digest = true;
  moved.origin = Node::From{"old", checksum_of("content"), true};
  Driving driving;
  driving.options.compare_content = true;
  const Outcome outcome = run(driving);
  EXPECT_THAT(outcome.work(), ElementsAre("rename new <- old"));
  EXPECT_THAT(outcome.reads(),
              UnorderedElementsAre("mirror digest old", "source digest new", "source checksum new"));
}

TEST_F(PlannerSearch, ManyFilesOfOneSizeGiveUpOnGuesses) {
  for (int i = 0; i < 100; ++i)
    both("d/f" + std::to_string(i), std::to_string(100000 + i));
  for (int i = 0; i < 30000; ++i)
    source_.file("n" + std::to_string(i), std::to_string(200000 + i), 5).doubt = true;
  const Outcome outcome = run();
  EXPECT_EQ(outcome.totals.requests, 30000U);
  EXPECT_LT(outcome.reads().size(), 6000U);
}

}  // namespace
}  // namespace ssync::planner::test
