#include <limits>

#include <gtest/gtest.h>

#include "ssync/fs/tree.h"

namespace ssync::fs {
namespace {

TEST(TicksTest, WholeSecondsAreTheStampsOfACoarseFileSystem) {
  EXPECT_EQ(tick_ns({100, 0}), 2'000'000'000U);
  EXPECT_EQ(tick_ns({100, 1}), 20'000'000U);
}

TEST(TicksTest, AStampIsRacyUntilATickHasPassed) {
  EXPECT_TRUE(is_racy({100, 5}, {100, 5}));
  EXPECT_TRUE(is_racy({100, 5}, {100, 20'000'004}));
  EXPECT_FALSE(is_racy({100, 5}, {100, 20'000'005}));
  EXPECT_TRUE(is_racy({100, 999'999'999}, {101, 1}));
  EXPECT_TRUE(is_racy({100, 0}, {101, 999'999'999}));
  EXPECT_FALSE(is_racy({100, 0}, {102, 0}));
}

TEST(TicksTest, AStampFromTheFutureIsRacy) {
  EXPECT_TRUE(is_racy({101, 1}, {100, 0}));
  EXPECT_TRUE(is_racy({std::numeric_limits<std::int64_t>::max(), 0}, {0, 0}));
}

TEST(TicksTest, AStampFromLongAgoIsNot) {
  EXPECT_FALSE(
      is_racy({std::numeric_limits<std::int64_t>::min(), 0}, {std::numeric_limits<std::int64_t>::max(), 0}));
  EXPECT_FALSE(is_racy({-1, 0}, {4, 0}));
}

}  // namespace
}  // namespace ssync::fs
