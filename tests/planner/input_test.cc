// A peer's list and a scan are believed only as far as they are trees in row order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::HasSubstr;

class PlannerInput : public testing::Test {
 protected:
  Result<void> give(std::vector<Row> rows, bool last = false) {
    RowBatch batch;
    batch.rows = std::move(rows);
    batch.last = last;
    return planner_.add_source(std::move(batch));
  }
  void expect_refused(std::vector<Row> rows, const std::string& why) {
    rows.insert(rows.begin(), row(0, "", "", Kind::directory));
    const auto result = give(std::move(rows));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::protocol);
    EXPECT_THAT(result.error().text(), HasSubstr(why));
    EXPECT_FALSE(planner_.step().has_value());
  }
  TreeDigest digest_;
  Planner planner_{Options{}, digest_};
};

TEST_F(PlannerInput, TheRootComesFirst) {
  EXPECT_EQ(give({row(0, "", "a", Kind::file)}).error().code, Errc::protocol);
}

TEST_F(PlannerInput, TheRootIsADirectory) {
  EXPECT_EQ(give({row(0, "", "", Kind::file)}).error().code, Errc::protocol);
}

TEST_F(PlannerInput, AListWithoutARootDoesNotEnd) {
  EXPECT_EQ(give({}, true).error().code, Errc::protocol);
}

TEST_F(PlannerInput, NamesAscend) {
  expect_refused({row(1, "", "b", Kind::file), row(2, "", "a", Kind::file)}, "'a': out of order");
}

TEST_F(PlannerInput, NoPathComesTwice) {
  expect_refused({row(1, "", "a\n", Kind::file), row(2, "", "a\n", Kind::file)}, "'a\\#012': listed twice");
}

TEST_F(PlannerInput, IdsCountUp) {
  expect_refused({row(2, "", "a", Kind::file)}, "ids");
}

TEST_F(PlannerInput, AParentMustBeListed) {
  expect_refused({row(1, "d", "a", Kind::file)}, "'d'");
}

TEST_F(PlannerInput, AParentMustBeADirectory) {
  expect_refused({row(1, "", "l", Kind::symlink), row(2, "l", "a", Kind::file)}, "'l'");
}

TEST_F(PlannerInput, NothingIsBelowAnUnreadableRow) {
  expect_refused({row(1, "", "u", Kind::unreadable), row(2, "u", "a", Kind::file)}, "'u'");
}

TEST_F(PlannerInput, ALocationDoesNotComeBack) {
  expect_refused({row(1, "", "a", Kind::directory), row(2, "", "b", Kind::directory),
                  row(3, "b", "x", Kind::file), row(4, "a", "x", Kind::file)},
                 "'a'");
}

TEST_F(PlannerInput, ChildrenComeBeforeTheNextSibling) {
  EXPECT_TRUE(give({row(0, "", "", Kind::directory), row(1, "", "a", Kind::directory),
                    row(2, "", "a-b", Kind::directory), row(3, "a", "d", Kind::directory),
                    row(4, "a/d", "x", Kind::file), row(5, "a-b", "x", Kind::file)},
                   true)
                  .has_value());
}

TEST_F(PlannerInput, NamesAreChecked) {
  expect_refused({row(1, "", "..", Kind::directory)}, "'..'");
}

TEST_F(PlannerInput, LocationsAreChecked) {
  expect_refused({row(1, "", "a", Kind::directory), row(2, "/a", "x", Kind::file)}, "'/a'");
}

TEST_F(PlannerInput, LocationsHaveNoEmptyComponents) {
  expect_refused(
      {row(1, "", "a", Kind::directory), row(2, "a", "b", Kind::directory), row(3, "a//b", "x", Kind::file)},
      "'a//b'");
  EXPECT_FALSE(planner_.step().has_value());
}

TEST_F(PlannerInput, LocationsDoNotEndInASlash) {
  expect_refused({row(1, "", "a", Kind::directory), row(2, "a/", "x", Kind::file)}, "'a/'");
}

TEST_F(PlannerInput, OnlyLinksHaveTargets) {
  Row bad = row(1, "", "f", Kind::file);
  bad.target = "x";
  expect_refused({bad}, "has a target and is no link");
}

TEST_F(PlannerInput, KindsAreChecked) {
  expect_refused({row(1, "", "f", static_cast<Kind>(9))}, "has an unknown kind");
}

TEST_F(PlannerInput, NothingComesAfterTheEnd) {
  ASSERT_TRUE(give({row(0, "", "", Kind::directory)}, true).has_value());
  EXPECT_EQ(give({row(1, "", "a", Kind::file)}).error().code, Errc::protocol);
}

TEST_F(PlannerInput, AMirrorScanBeginsWithItsRoot) {
  ScanBlock block;
  EXPECT_EQ(planner_.add_mirror(block).error().code, Errc::corrupt);
}

TEST_F(PlannerInput, AMirrorBlockNeedsItsDirectory) {
  ScanBlock root;
  root.self.emplace();
  root.self->values.kind = Kind::directory;
  ASSERT_TRUE(planner_.add_mirror(root).has_value());
  ScanBlock block;
  block.location = "d";
  EXPECT_EQ(planner_.add_mirror(block).error().code, Errc::corrupt);
}

TEST_F(PlannerInput, DeepListsCostNoMoreThanTheirPaths) {
  std::vector<Row> rows{row(0, "", "", Kind::directory)};
  std::vector<std::string> locations{""};
  for (int i = 0; i < 4000; ++i)
    locations.push_back(locations.back() + (i > 0 ? "/dir" : "dir"));
  for (RowId i = 0; i < 4000; ++i)
    rows.push_back(row(i + 1, locations[i], "dir", Kind::directory));
  EXPECT_TRUE(give(rows, true).has_value());
}

}  // namespace
}  // namespace ssync::planner::test
