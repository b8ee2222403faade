// Directories first: which need their rows, and what a peer may not say. That the plan is the same as from a
// whole list is a property (planner_property_test.cc).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::HasSubstr;

class DirectorySums : public testing::Test {
 protected:
  DirectorySums() {
    for (const char* path : {"a/one", "a/two", "b/three", "c/d/four"})
      source_.file(path, path);
    source_.link("b/link", "three");
    mirror_ = source_;
    mirror_.settle_mirror();
    for (const std::string& path : mirror_.paths())
      source_.find(path)->knows_checksum = mirror_.find(path)->knows_checksum;
    driving_.by_sums = true;
  }
  Outcome run() {
    Outcome outcome = drive(source_, mirror_, driving_);
    EXPECT_EQ(outcome.error, "");
    return outcome;
  }
  std::size_t rows_given() { return run().rows_given; }

  Tree source_, mirror_;
  Driving driving_;
};

TEST_F(DirectorySums, EqualTreesNeedNoRow) {
  const Outcome outcome = run();
  EXPECT_EQ(outcome.rows_given, 0U);
  EXPECT_EQ(outcome.totals.source_entries, 9U);
  EXPECT_EQ(outcome.totals.source_files, 4U);
  EXPECT_EQ(outcome.digest, digest_of_source(source_, {}, driving_.options));
}

TEST_F(DirectorySums, OnlyTheDirectoryOfAChangeIsListed) {
  source_.file("b/three", "another", 2000);
  EXPECT_EQ(rows_given(), 2U);
}

TEST_F(DirectorySums, ANewDirectoryIsListedWithItsParent) {
  source_.file("c/new/file", "x");
  EXPECT_EQ(rows_given(), 2U + 1U);
}

TEST_F(DirectorySums, ADirectoryThatIsGoneCostsItsParentOnly) {
  source_.erase_all("c/d");
  EXPECT_EQ(rows_given(), 0U);  // "c" is empty now: its sum says so
  EXPECT_EQ(run().totals.deletes, 2U);
}

TEST_F(DirectorySums, DoubtOfEitherSideIsListed) {
  source_.find("a/one")->doubt = true;
  mirror_.find("b/three")->doubt = true;
  EXPECT_EQ(rows_given(), 4U);
}

TEST_F(DirectorySums, WhatIsToBeReadAgainIsListed) {
  mirror_.find("a/one")->retry = true;
  const Outcome outcome = run();
  EXPECT_EQ(outcome.rows_given, 2U);
  EXPECT_EQ(outcome.totals.requests, 1U);
}

// One of two that do not know alike cannot be vouched for by a sum; the rows settle it.
TEST_F(DirectorySums, AChecksumThatOneSideKnowsIsListed) {
  source_.find("a/one")->knows_checksum = false;
  const Outcome outcome = run();
  EXPECT_EQ(outcome.rows_given, 2U);
  EXPECT_EQ(outcome.steps(), std::vector<std::string>());
}

TEST_F(DirectorySums, WhatTheMirrorWasNotWrittenForIsListed) {
  mirror_.find("a/one")->wanted.reset();
  EXPECT_EQ(rows_given(), 2U);
}

// An edit that restored size and time, sent by nobody so far: the source's index knows its new content.
TEST_F(DirectorySums, AChecksumThatIsKnownCounts) {
  source_.find("a/one")->content = "A/ONE";
  const Outcome outcome = run();
  EXPECT_EQ(outcome.rows_given, 2U);
  EXPECT_EQ(outcome.totals.requests, 1U);
}

TEST_F(DirectorySums, AProblemOfTheMirrorsScanIsListed) {
  Problem problem;
  problem.location = "a";
  problem.name = "one";
  problem.text = "I/O error";
  driving_.block_problems = {problem};
  const Outcome outcome = run();
  EXPECT_EQ(outcome.rows_given, 2U);
  EXPECT_EQ(outcome.problem_paths(), std::vector<std::string>{"a/one"});
}

class DirectorySumsOfAPeer : public testing::Test {
 protected:
  static DirectorySum directory(std::string location, std::uint64_t rows) {
    return {std::move(location), rows, std::nullopt};
  }
  /// Everything that was announced is asked for.
  void announce(const std::vector<DirectorySum>& directories) {
    ASSERT_TRUE(planner_.add_directories(directories, true).has_value());
    ScanBlock root;
    root.self.emplace();
    root.self->values.kind = Kind::directory;
    ASSERT_TRUE(planner_.add_mirror(root).has_value());
    planner_.end_mirror();
    ASSERT_EQ(planner_.step().value(), Planner::Step::directories);
    ASSERT_EQ(planner_.take_asked_directories().size(), directories.size());
  }
  void expect_refused(const Result<void>& result, const std::string& why) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::protocol);
    EXPECT_THAT(result.error().text(), HasSubstr(why));
    EXPECT_FALSE(planner_.step().has_value());
  }
  Result<void> give(std::vector<Row> rows, bool last = false) {
    RowBatch batch;
    batch.rows = std::move(rows);
    batch.last = last;
    return planner_.add_source(std::move(batch));
  }
  TreeDigest digest_;
  Planner planner_{Options{}, digest_};
};

TEST_F(DirectorySumsOfAPeer, TheRootComesFirst) {
  expect_refused(planner_.add_directories({directory("a", 1)}, true), "'a': the root");
}

TEST_F(DirectorySumsOfAPeer, TheRootComesOnce) {
  expect_refused(planner_.add_directories({directory("", 1), directory("", 1)}, true), "the root");
}

TEST_F(DirectorySumsOfAPeer, DirectoriesAscend) {
  expect_refused(planner_.add_directories({directory("", 3), directory("b", 0), directory("a", 0)}, true),
                 "'a': out of order");
}

TEST_F(DirectorySumsOfAPeer, TheyDoNotEndWithoutTheRoot) {
  expect_refused(planner_.add_directories({}, true), "without its root");
}

TEST_F(DirectorySumsOfAPeer, NothingComesAfterTheLast) {
  ASSERT_TRUE(planner_.add_directories({directory("", 1)}, true).has_value());
  expect_refused(planner_.add_directories({directory("a", 1)}, true), "no place");
}

TEST_F(DirectorySumsOfAPeer, NotAfterRows) {
  ASSERT_TRUE(give({row(0, "", "", Kind::directory)}).has_value());
  expect_refused(planner_.add_directories({directory("", 1)}, true), "no place");
}

TEST_F(DirectorySumsOfAPeer, CountsDoNotOverflow) {
  expect_refused(planner_.add_directories({directory("", 2), directory("a", ~std::uint64_t{0} >> 1U)}, true),
                 "too many rows");
}

TEST_F(DirectorySumsOfAPeer, RowsMustHaveBeenAskedFor) {
  ASSERT_TRUE(planner_.add_directories({directory("", 1)}, false).has_value());
  expect_refused(give({row(0, "", "", Kind::directory)}), "not asked for");
}

TEST_F(DirectorySumsOfAPeer, RowsAreOfTheDirectoryAskedFor) {
  announce({directory("", 2), directory("a", 1)});
  ASSERT_TRUE(give({row(0, "", "", Kind::directory), row(1, "", "a", Kind::directory)}).has_value());
  expect_refused(give({row(2, "b", "x")}), "not the next one");
}

TEST_F(DirectorySumsOfAPeer, RowsHaveTheIdsThatWereAnnounced) {
  announce({directory("", 2)});
  expect_refused(give({row(0, "", "", Kind::directory), row(2, "", "a")}), "not the next one");
}

TEST_F(DirectorySumsOfAPeer, NoMoreRowsThanAnnounced) {
  announce({directory("", 1)});
  expect_refused(give({row(0, "", "", Kind::directory), row(1, "", "a")}), "not asked for");
}

TEST_F(DirectorySumsOfAPeer, NoneOfThemIsTheEnd) {
  announce({directory("", 1)});
  expect_refused(give({row(0, "", "", Kind::directory)}, true), "an end");
}

TEST_F(DirectorySumsOfAPeer, NamesAscend) {
  announce({directory("", 3)});
  ASSERT_TRUE(give({row(0, "", "", Kind::directory), row(1, "", "b"), row(2, "", "a")}).has_value());
  const auto step = planner_.step();
  ASSERT_FALSE(step.has_value());
  EXPECT_THAT(step.error().text(), HasSubstr("out of order"));
}

TEST_F(DirectorySumsOfAPeer, ADirectoryWithRowsIsListedInItsParent) {
  announce({directory("", 1), directory("a", 1)});
  ASSERT_TRUE(give({row(0, "", "", Kind::directory), row(1, "a", "x")}).has_value());
  const auto step = planner_.step();
  ASSERT_FALSE(step.has_value());
  EXPECT_THAT(step.error().text(), HasSubstr("'a'"));
}

}  // namespace
}  // namespace ssync::planner::test
