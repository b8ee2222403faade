// What comes before what, where an order could lose content.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::ElementsAre;

class PlannerOrder : public testing::Test {
 protected:
  void old(const std::string& path, const std::string& content) {
    Node& node = mirror_.file(path, content);
    node.wanted = node.values;
    node.knows_checksum = node.knows_digest = true;
  }
  void now(const std::string& path, const std::string& content) {
    Node& node = source_.file(path, content, 2000);
    node.doubt = true;
    node.knows_checksum = node.knows_digest = true;
  }
  std::vector<std::string> work() {
    const Outcome outcome = drive(source_, mirror_);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.digest, digest_of_source(source_, {}, Driving::defaults()));
    return outcome.work();
  }
  /// Requests into directories that may be filled elsewhere.
  std::vector<std::string> filling() {
    std::vector<std::string> paths;
    for (const Change& change : drive(source_, mirror_).changes) {
      if (const auto* request = std::get_if<Change::Request>(&change.step);
          request && request->fills_directory)
        paths.push_back(join(change.path()));
    }
    return paths;
  }
  Tree source_, mirror_;
};

TEST_F(PlannerOrder, AChainMovesFromItsEnd) {
  old("a", "A");
  old("b", "B");
  old("x", "X");
  now("b", "A");
  now("c", "B");
  now("a", "X");
  EXPECT_THAT(work(), ElementsAre("rename c <- b", "rename b <- a", "rename a <- x"));
}

TEST_F(PlannerOrder, RotatedLogsMoveAndOnlyTheLastIsCopied) {
  old("log", "today.....");
  old("log.1", "yesterday.");
  old("log.2", "before.");
  now("log", "fresh");
  now("log.1", "today.....");
  now("log.2", "yesterday.");
  // log itself waits for its content, so it stays until that is there.
  EXPECT_THAT(work(), ElementsAre("stage_copy log.1 <- log", "rename log.2 <- log.1", "publish_staged log.1",
                                  "request log"));
}

TEST_F(PlannerOrder, SwappedNamesAreExchanged) {
  old("a", "A");
  old("b", "B");
  now("a", "B");
  now("b", "A");
  EXPECT_THAT(work(), ElementsAre("exchange a <- b"));
}

TEST_F(PlannerOrder, ACopyOfASwappedFileComesFirst) {
  old("a", "A");
  old("b", "B");
  now("a", "B");
  now("b", "A");
  now("c", "B");
  EXPECT_THAT(work(), ElementsAre("copy c <- b", "exchange a <- b"));
}

TEST_F(PlannerOrder, NamesThatRotateAreExchangedInPairs) {
  old("a", "A");
  old("b", "B");
  old("c", "C");
  now("a", "B");
  now("b", "C");
  now("c", "A");
  EXPECT_THAT(work(), ElementsAre("exchange a <- b", "exchange b <- c"));
}

TEST_F(PlannerOrder, AFileBecomesADirectoryThatHoldsIt) {
  old("p", "P");
  now("p/q", "P");
  EXPECT_THAT(work(), ElementsAre("stage_rename p/q <- p", "make_directory p", "publish_staged p/q"));
}

TEST_F(PlannerOrder, ADirectoryBecomesAFileThatWasInIt) {
  old("p/q", "P");
  now("p", "P");
  EXPECT_THAT(work(), ElementsAre("stage_rename p <- p/q", "remove_directory p", "publish_staged p"));
}

TEST_F(PlannerOrder, ReadersComeBeforeTheFileIsFreed) {
  old("p", "P");
  source_.dir("p");
  now("x", "P");
  now("y", "P");
  EXPECT_THAT(work(), ElementsAre("copy y <- p", "rename x <- p", "make_directory p"));
}

TEST_F(PlannerOrder, AnEmptiedFileLetsItsContentGoFirst) {
  old("a", "A");
  now("a", "");
  now("b", "A");
  EXPECT_THAT(work(), ElementsAre("rename b <- a", "make_empty a"));
}

// A file with another name is copied for its attributes, and a request may replace that name meanwhile.
TEST_F(PlannerOrder, AttributesOfLinkedFilesAreSetBeforeRequestsAndOthersAfter) {
  old("b", "shared");
  mirror_.find("b")->links = 2;
  const Node linked = *mirror_.find("b");
  mirror_.put("c", linked);
  old("d", "alone");
  for (const char* path : {"c", "d"}) {
    Node node = *mirror_.find(path);
    node.links = 1;
    node.values.mode = 0600;
    source_.put(path, node);
  }
  now("b", "new content");
  EXPECT_THAT(work(), ElementsAre("set_metadata c", "request b", "set_metadata d"));
}

TEST_F(PlannerOrder, RequestsComeAfterDeletesInListOrder) {
  old("gone", "1");
  now("z", "22");
  now("b", "333");
  EXPECT_THAT(work(), ElementsAre("remove gone", "request b", "request z"));
}

TEST_F(PlannerOrder, OnlyNewDirectoriesWithNothingElseAreFilled) {
  old("there/x", "1");
  now("there/x", "1");
  now("there/y", "22");
  now("top", "22");
  now("new/a", "333");
  now("new/b", "4444");
  now("new/sub/c", "55555");
  now("with_link/d", "666666");
  source_.link("with_link/e", "d");
  now("with_empty/f", "7777777");
  now("with_empty/g", "");
  EXPECT_THAT(filling(), ElementsAre("new/sub/c"));
}

}  // namespace
}  // namespace ssync::planner::test
