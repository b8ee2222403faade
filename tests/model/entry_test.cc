#include "ssync/model/entry.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace ssync {
namespace {

constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

FileTime rounded(FileTime time, std::uint32_t granularity_ns) {
  const Values values{.kind = Kind::file, .mtime = time};
  return project(values, {.mtime_granularity_ns = granularity_ns}).mtime;
}

TEST(ProjectTest, KeepsEverythingOfAFileThatBothEndsCanHold) {
  const Values values{Kind::file, 04755, 42, {-7, 123'456'789}, {1000, 100}};
  EXPECT_EQ(project(values, {.owner = true}), values);
}

TEST(ProjectTest, DropsOwnerUnlessNegotiated) {
  const Values values{Kind::directory, 02755, 0, {7, 1}, {1000, 100}};
  EXPECT_EQ(project(values, {}), (Values{Kind::directory, 02755, 0, {7, 1}, {}}));
}

TEST(ProjectTest, MasksModes) {
  const Values values{Kind::directory, 02777, 0, {7, 1}, {}};
  EXPECT_EQ(project(values, {.mode_mask = 0755}), (Values{Kind::directory, 0755, 0, {7, 1}, {}}));
}

TEST(ProjectTest, CountsSizesOfFilesOnly) {
  EXPECT_EQ(project({Kind::directory, 0755, 4096, {7, 1}, {}}, {}),
            (Values{Kind::directory, 0755, 0, {7, 1}, {}}));
  EXPECT_EQ(project({Kind::symlink, 0777, 9, {7, 1}, {}}, {}), (Values{Kind::symlink, 0, 0, {7, 1}, {}}));
}

TEST(ProjectTest, DropsTimesOfLinksWhereTheMirrorCannotSetThem) {
  const Values link{Kind::symlink, 0777, 0, {7, 1}, {1, 2}};
  EXPECT_EQ(project(link, {.owner = true, .symlink_mtime = false}),
            (Values{Kind::symlink, 0, 0, {}, {1, 2}}));
}

TEST(ProjectTest, KnowsNothingOfAnUnreadableEntry) {
  EXPECT_EQ(project({Kind::unreadable, 0755, 1, {7, 1}, {1, 2}}, {.owner = true}),
            (Values{.kind = Kind::unreadable}));
}

TEST(ProjectTest, KnowsOfASpecialEntryWhichOneItIs) {
  EXPECT_EQ(project({Kind::special, 0755, 0x1032, {7, 1}, {1, 2}}, {.owner = true}),
            (Values{.kind = Kind::special, .size = 0x1032}));
}

TEST(ProjectTest, RoundsTimesDownToMultiplesOfTheGranularity) {
  EXPECT_EQ(rounded({5, 123'456'789}, 1), (FileTime{5, 123'456'789}));
  EXPECT_EQ(rounded({5, 123'456'789}, 100), (FileTime{5, 123'456'700}));
  EXPECT_EQ(rounded({5, 123'456'789}, 1'000), (FileTime{5, 123'456'000}));
  EXPECT_EQ(rounded({5, 999'999'999}, 1'000'000'000), (FileTime{5, 0}));
  EXPECT_EQ(rounded({5, 123'456'789}, 2'000'000'000), (FileTime{4, 0}));
  EXPECT_EQ(rounded({4, 999'999'999}, 2'000'000'000), (FileTime{4, 0}));
}

TEST(ProjectTest, CountsMultiplesFromTheEpochOverAllSeconds) {
  // 1.5 s: 0, 1.5, 3, 4.5 …
  EXPECT_EQ(rounded({4, 499'999'999}, 1'500'000'000), (FileTime{3, 0}));
  EXPECT_EQ(rounded({4, 500'000'000}, 1'500'000'000), (FileTime{4, 500'000'000}));
  EXPECT_EQ(rounded({5, 0}, 1'500'000'000), (FileTime{4, 500'000'000}));
}

TEST(ProjectTest, RoundsTimesBeforeTheEpochDownToo) {
  EXPECT_EQ(rounded({-1, 999'999'999}, 1'000'000'000), (FileTime{-1, 0}));
  EXPECT_EQ(rounded({-1, 0}, 2'000'000'000), (FileTime{-2, 0}));
  EXPECT_EQ(rounded({-2, 5}, 2'000'000'000), (FileTime{-2, 0}));
}

TEST(ProjectTest, ClampsTimesToTheRangeThatTheMirrorKeeps) {
  const Attributes attributes{.mtime_least_s = -10, .mtime_greatest_s = 20};
  const auto clamped = [&](FileTime time) {
    return project({.kind = Kind::directory, .mtime = time}, attributes).mtime;
  };
  EXPECT_EQ(clamped({-11, 5}), (FileTime{-10, 0}));
  EXPECT_EQ(clamped({kEarliest, 0}), (FileTime{-10, 0}));
  EXPECT_EQ(clamped({-9, 5}), (FileTime{-9, 5}));
  EXPECT_EQ(clamped({-1, 999'999'999}), (FileTime{-1, 999'999'999}));
  EXPECT_EQ(clamped({19, 999'999'999}), (FileTime{19, 999'999'999}));
  EXPECT_EQ(clamped({21, 0}), (FileTime{20, 0}));
  EXPECT_EQ(clamped({kLatest, 5}), (FileTime{20, 0}));
}

TEST(ProjectTest, KeepsNoNanosecondsAtTheEndsOfTheRange) {
  const Attributes attributes{.mtime_least_s = -10, .mtime_greatest_s = 20};
  EXPECT_EQ(clamp({-10, 5}, attributes), (FileTime{-10, 0}));
  EXPECT_EQ(clamp({20, 5}, attributes), (FileTime{20, 0}));
}

TEST(ProjectTest, RoundsWhatItClamped) {
  const Attributes attributes{.mtime_granularity_ns = 2'000'000'000, .mtime_greatest_s = 21};
  EXPECT_EQ(project({.kind = Kind::file, .mtime = {30, 7}}, attributes).mtime, (FileTime{20, 0}));
}

TEST(ProjectTest, StaysWithinTheRangeOfTime) {
  EXPECT_EQ(rounded({kLatest, 999'999'999}, 2'000'000'000), (FileTime{kLatest - 1, 0}));
  EXPECT_EQ(rounded({kEarliest, 5}, 1'500'000'000), (FileTime{kEarliest, 0}));
}

TEST(ProjectTest, IsIdempotent) {
  for (const std::uint32_t granularity : {1U, 3U, 100U, 999'999'999U, 1'500'000'000U, 2'000'000'000U}) {
    for (const std::int64_t seconds :
         {kEarliest, std::int64_t{-3}, std::int64_t{1}, std::int64_t{1'700'000'001}, kLatest}) {
      const FileTime once = rounded({seconds, 999'999'998}, granularity);
      EXPECT_EQ(rounded(once, granularity), once) << seconds << " by " << granularity;
      EXPECT_LE(once, (FileTime{seconds, 999'999'998}));
    }
  }
}

}  // namespace
}  // namespace ssync
