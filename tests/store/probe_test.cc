#include "ssync/store/probe.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/fs/staging.h"
#include "ssync/support/changes.h"
#include "ssync/support/fake_tree.h"

namespace ssync::store {
namespace {

using support::FakeLimits;
using support::FakeTree;
using support::TemporaryRoot;
using testing::ElementsAre;
using testing::IsEmpty;

struct Probed {
  Attributes attributes;
  std::vector<std::string> notes;
};

Probed probe(const FakeLimits& limits) {
  FakeTree tree({}, limits);
  Probed probed;
  fs::Staging staging(tree);
  probed.attributes = probe_attributes(staging, probed.notes).value();
  EXPECT_TRUE(staging.remove());
  EXPECT_EQ(tree.dump({.root = false}), "");
  return probed;
}

Attributes all() {
  return {.owner = ::geteuid() == 0};
}

TEST(ProbeTest, FindsNothingMissingOnALocalDisk) {
  const Probed probed = probe({});
  EXPECT_EQ(probed.attributes, all());
  EXPECT_THAT(probed.notes, IsEmpty());
}

TEST(ProbeTest, FindsTheGranularityOfTimes) {
  for (const std::uint32_t granularity :
       {100U, 1'000U, 1'000'000U, 10'000'000U, 1'000'000'000U, 2'000'000'000U}) {
    const Probed probed = probe({.mtime_granularity_ns = granularity});
    EXPECT_EQ(probed.attributes.mtime_granularity_ns, granularity);
    EXPECT_EQ(probed.notes.size(), 1U);
  }
}

TEST(ProbeTest, FindsTheRangeOfTimes) {
  struct Range {
    std::int64_t least, greatest;
  };
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();
  for (const Range range :
       {Range{-2147483648, 2147483647}, Range{-2147483648, 15032385535}, Range{0, 4294967295},
        Range{315532800, 4354819199}, Range{kLeast, 2147483647}, Range{0, kGreatest}}) {
    for (const std::uint32_t granularity : {1U, 1'000'000'000U}) {
      for (const bool clamps : {true, false}) {
        const Probed probed = probe({.mtime_granularity_ns = granularity,
                                     .mtime_least_s = range.least,
                                     .mtime_greatest_s = range.greatest,
                                     .clamps_mtimes = clamps});
        EXPECT_EQ(probed.attributes.mtime_least_s, range.least) << clamps;
        EXPECT_EQ(probed.attributes.mtime_greatest_s, range.greatest) << clamps;
      }
    }
  }
}

TEST(ProbeTest, FindsTheLastTimeThatIsAWholeStep) {
  for (const bool clamps : {true, false}) {
    const Probed probed = probe({.mtime_granularity_ns = 2'000'000'000,
                                 .mtime_least_s = 315532800,
                                 .mtime_greatest_s = 4354819199,
                                 .clamps_mtimes = clamps});
    EXPECT_EQ(probed.attributes.mtime_least_s, 315532800);
    EXPECT_EQ(project({.kind = Kind::file, .mtime = {1LL << 40, 0}}, probed.attributes).mtime.s, 4354819198);
  }
}

TEST(ProbeTest, FindsModeBitsThatDoNotStick) {
  const Probed probed = probe({.mode_mask = 01777});
  EXPECT_EQ(probed.attributes.mode_mask, 01777);
  EXPECT_THAT(probed.notes, ElementsAre("the mirror does not keep the mode bits 6000"));
}

TEST(ProbeTest, FindsOwnersThatCannotBeSet) {
  EXPECT_FALSE(probe({.owner = false}).attributes.owner);
}

TEST(ProbeTest, FindsMissingLinks) {
  const Probed probed = probe({.symlinks = false});
  EXPECT_FALSE(probed.attributes.symlinks);
  EXPECT_THAT(probed.notes, ElementsAre("the mirror cannot hold symbolic links"));
}

TEST(ProbeTest, FindsTimesOfLinksIgnored) {
  EXPECT_FALSE(probe({.symlink_mtime = false}).attributes.symlink_mtime);
}

TEST(ProbeTest, FindsNamesWithoutCase) {
  EXPECT_FALSE(probe({.case_sensitive = false}).attributes.case_sensitive);
}

TEST(ProbeTest, TriesASizeWhereTheFileWillBe) {
  FakeTree tree(std::vector<support::Node>{support::dir("d")});
  fs::Staging staging(tree);
  EXPECT_TRUE(size_fits(tree, staging, "d/not/there", kProbedSize));
  EXPECT_EQ(tree.dump({.mtime = false, .root = false}), "d dir 0755 -\n");
  tree.fail_nth(support::FakeOp::truncate, 1, EFBIG);
  EXPECT_FALSE(size_fits(tree, staging, "d", kProbedSize));
  EXPECT_EQ(tree.dump({.mtime = false, .root = false}), "d dir 0755 -\n");
  tree.fail_nth(support::FakeOp::create_file, 1, EACCES);
  EXPECT_TRUE(size_fits(tree, staging, "d", kProbedSize)) << "a directory that is not writable says nothing";
}

TEST(ProbeTest, FailsOnAReadOnlyMirror) {
  FakeTree tree({}, {.read_only = true});
  std::vector<std::string> notes;
  fs::Staging staging(tree);
  EXPECT_EQ(probe_attributes(staging, notes).error().code, Errc::read_only);
}

TEST(ProbeTest, FindsAllOnTheRealFileSystem) {
  TemporaryRoot root;
  std::vector<std::string> notes;
  fs::Staging staging(root.tree());
  const Attributes found = probe_attributes(staging, notes).value();
  Attributes expected = all();  // every file system has a range of times of its own
  expected.mtime_least_s = found.mtime_least_s;
  expected.mtime_greatest_s = found.mtime_greatest_s;
  EXPECT_EQ(found, expected);
  EXPECT_LE(found.mtime_least_s, 0);
  EXPECT_GE(found.mtime_greatest_s, std::numeric_limits<std::int32_t>::max());
}

}  // namespace
}  // namespace ssync::store
