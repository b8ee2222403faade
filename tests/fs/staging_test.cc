#include "ssync/fs/staging.h"

#include <sys/resource.h>

#include <cerrno>

#include <gmock/gmock.h>

#include "in_child.h"
#include "tree_suite.h"

namespace ssync::fs {
namespace {

using support::dir;
using support::file;
using support::link;

const std::string kName = std::string(kStagingPrefix) + "00112233445566778899aabbccddeeff";

class StagingTest : public TreeSuite {
 protected:
  std::string all() { return support::dump(tree(), {.mtime = false, .root = false}); }
};
INSTANTIATE_TEST_SUITE_P(Trees, StagingTest, testing::Values(On::disk, On::memory, On::fake), param_name);

TEST(StagingNameTest, HasThePrefixAnd32LowerCaseDigits) {
  EXPECT_TRUE(is_staging_name(kName));
  EXPECT_FALSE(is_staging_name(kName + "0"));
  EXPECT_FALSE(is_staging_name(kName.substr(0, kName.size() - 1)));
  EXPECT_FALSE(is_staging_name(std::string(kStagingPrefix) + "00112233445566778899AABBCCDDEEFF"));
  EXPECT_FALSE(is_staging_name(kStagingPrefix));
  EXPECT_FALSE(is_staging_name("x" + kName));
  EXPECT_FALSE(is_staging_name(""));
}

TEST(StagingNameTest, OursIsNoPartOfATree) {
  EXPECT_TRUE(is_reserved(kName, InRoot::yes, IsDirectory::yes));
  EXPECT_TRUE(is_reserved(kName, InRoot::no, IsDirectory::no));
  EXPECT_FALSE(is_reserved(kName, InRoot::no, IsDirectory::yes));
  EXPECT_TRUE(is_reserved(kStateDirectory, InRoot::yes, IsDirectory::yes));
  EXPECT_FALSE(is_reserved(kStateDirectory, InRoot::no, IsDirectory::yes));
  EXPECT_FALSE(is_reserved(".server-sync", InRoot::yes, IsDirectory::no));
}

TEST_P(StagingTest, IsMadeWhenNeededAndPrivate) {
  Staging staging(tree());
  EXPECT_FALSE(staging.exists());
  EXPECT_EQ(all(), "");
  ASSERT_TRUE(staging.open());
  EXPECT_TRUE(staging.exists());
  EXPECT_EQ(all(), ".server-sync.* dir 0700 -\n.server-sync.*/.server-sync-staging file 0600 0 \"\"\n");
}

TEST_P(StagingTest, IsOneDirectoryUntilRemoved) {
  Staging staging(tree());
  ASSERT_TRUE(staging.open().value()->create_file("0", 0600));
  EXPECT_TRUE(staging.open().value()->stat("0"));
  EXPECT_EQ(names("").size(), 1U);
  ASSERT_TRUE(staging.remove());
  EXPECT_FALSE(staging.exists());
  EXPECT_EQ(all(), "");
  EXPECT_EQ(code(staging.open().value()->stat("0")), Errc::not_found);
}

TEST_P(StagingTest, GivesEverySlotOnce) {
  Staging staging(tree());
  EXPECT_EQ(staging.next_slot(), "0");
  ASSERT_TRUE(staging.open());
  ASSERT_TRUE(staging.remove());
  EXPECT_EQ(staging.next_slot(), "1");
}

TEST_P(StagingTest, RemovesWhateverIsLeftInIt) {
  {
    Staging staging(tree());
    ASSERT_TRUE(staging.open());
    const std::string name = names("").front();
    ASSERT_TRUE(support::build(
        tree(),
        {file("0", "x"), link("1", "/"), dir("2", dir("a", file("b")), file("c").with_mode(0)).with_mode(0)},
        name));
  }
  EXPECT_EQ(all(), "");
}

TEST_P(StagingTest, RemovesTreesTooDeepForADescriptorPerLevel) {
  Staging staging(tree());
  ASSERT_TRUE(staging.open());
  std::string location = names("").front();
  for (int depth = 0; depth < 100; ++depth) {
    ASSERT_TRUE(open(location)->make_directory("deep", 0700));
    location += "/deep";
  }
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit few { 32, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_TRUE(staging.remove());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(all(), "");
}

TEST_P(StagingTest, IsMadeAgainWhenSomebodyRemovedIt) {
  Staging staging(tree());
  ASSERT_TRUE(staging.open());
  const std::string name = names("").front();
  ASSERT_TRUE(open(name)->remove(kStagingMarker));
  ASSERT_TRUE(top()->remove_directory(name));
  EXPECT_TRUE(staging.open());
  EXPECT_EQ(names("").size(), 1U);
  ASSERT_TRUE(top()->rename(names("").front(), *top(), "elsewhere", Replace::no));
  EXPECT_TRUE(staging.remove());
}

TEST_P(StagingTest, InheritsNoGroupOfTheRoot) {
  ASSERT_TRUE(top()->set_mode("", 02775));
  Staging staging(tree());
  EXPECT_EQ(staging.open().value()->stat_self()->seen.values.mode, 0700);
}

TEST_P(StagingTest, RemovesWhatAKilledServerLeft) {
  build({dir(kName, file(std::string(kStagingMarker)), file("0", "half"), dir("d", file("x"))), file("mine"),
         dir(std::string(kStagingPrefix) + std::string(32, '1'))});
  EXPECT_EQ(remove_abandoned_staging(tree()), 2U);
  EXPECT_EQ(all(), "mine file 0644 0 \"\"\n");
  EXPECT_EQ(remove_abandoned_staging(tree()), 0U);
}

TEST_P(StagingTest, LeavesWhatOnlyLooksLikeIt) {
  const auto name = [](char digit) { return std::string(kStagingPrefix) + std::string(32, digit); };
  build({dir("d", file(std::string(kStagingMarker)), file("x")), link(name('1'), "d"), file(name('2')),
         dir(name('3'), file("x")), dir(name('4'), link(std::string(kStagingMarker), "../d/x"), file("x")),
         dir(name('5') + "0", file(std::string(kStagingMarker))),
         dir("sub", dir(name('6'), file(std::string(kStagingMarker))))});
  const std::string before = all();
  EXPECT_EQ(remove_abandoned_staging(tree()), 0U);
  EXPECT_EQ(all(), before);
}

TEST_P(StagingTest, LeavesThatOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
  build({dir(kName, file(std::string(kStagingMarker))).with_owner({1234, 0})});
  EXPECT_EQ(remove_abandoned_staging(tree()), 0U);
  EXPECT_EQ(names("").size(), 1U);
}

TEST(StagingFaultTest, LeavesNothingWhenItCannotBeMade) {
  for (std::uint64_t step = 1; step <= 4; ++step) {
    support::FakeTree tree;
    tree.fail_nth(step, EIO);
    Staging staging(tree);
    EXPECT_EQ(code(staging.open()), Errc::io) << step;
    EXPECT_FALSE(staging.exists());
    EXPECT_EQ(tree.dump({.root = false}), "");
    EXPECT_TRUE(staging.open());
  }
}

TEST(StagingFaultTest, GoesOnRemovingAfterAFailureAndKeepsTheMarkerUntilTheEnd) {
  support::FakeTree tree({dir(kName, file(std::string(kStagingMarker)), file("0"), file("1"), file("2"))});
  tree.fail_at(support::FakeOp::remove, kName + "/1", EBUSY);
  EXPECT_EQ(code(remove_abandoned_staging(tree)), Errc::busy);
  EXPECT_FALSE(tree.exists(kName + "/2"));
  tree.clear_failures();
  EXPECT_EQ(remove_abandoned_staging(tree), 1U);
  EXPECT_FALSE(tree.exists(kName));
}

TEST(StagingFaultTest, IsKnownAsOursAtEveryMomentOfItsLife) {
  for (std::uint64_t step = 1; step < 20; ++step) {
    support::FakeTree tree({file("mine")});
    tree.fail_from(step, EIO);
    {
      Staging staging(tree);
      if (auto opened = staging.open()) static_cast<void>((*opened)->create_file("0", 0600));
    }
    tree.clear_failures();
    EXPECT_TRUE(remove_abandoned_staging(tree));
    EXPECT_EQ(tree.dump({.mtime = false, .root = false}), "mine file 0644 0 \"\"\n") << step;
  }
}

TEST(StagingFaultTest, LeavesWhatIsMountedInIt) {
  support::FakeTree tree({dir(kName, file(std::string(kStagingMarker)), dir("m", file("precious")))});
  tree.mount(kName + "/m", {});
  EXPECT_EQ(code(remove_abandoned_staging(tree)), Errc::busy);
  EXPECT_TRUE(tree.exists(kName + "/m/precious"));
}

TEST(StagingRealTest, RemovesDirectoriesThatDenyTheirOwner) {
  const TemporaryDirectory directory(disk_parent());
  std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
  if (!nobody_reaches(directory.path())) GTEST_SKIP() << "the build folder is closed to other users";
  const std::string left = as_nobody([&]() -> std::string {
    Root root = Root::open(directory.path(), Root::Lock::no).value();
    const auto done =
        support::build(root.tree(), {dir(kName, file(std::string(kStagingMarker)),
                                         dir("d", file("x"), dir("e").with_mode(0)).with_mode(0))
                                         .with_mode(0500)});
    if (!done) return done.error().text();
    const auto removed = remove_abandoned_staging(root.tree());
    if (!removed) return removed.error().text();
    return std::to_string(*removed) + support::dump(root.tree(), {.root = false});
  });
  EXPECT_EQ(left, "1");
}

TEST_P(StagingTest, KnowsItsOwnNames) {
  Staging staging(tree());
  Staging other(tree());
  ASSERT_TRUE(staging.open());
  EXPECT_TRUE(is_staging_name(staging.name()));
  EXPECT_TRUE(staging.owns(staging.name()));
  EXPECT_TRUE(staging.owns(staging.next_name_beside()));
  EXPECT_NE(staging.next_name_beside(), staging.next_name_beside());
  EXPECT_FALSE(staging.owns(other.next_name_beside()));
  EXPECT_FALSE(staging.owns("0"));
}

TEST_P(StagingTest, ItsMarkerHasTheEpoch) {
  Staging staging(tree(), "0123");
  ASSERT_TRUE(staging.open());
  EXPECT_EQ(read(staging.name() + "/" + std::string(kStagingMarker)), "0123");
}

TEST_P(StagingTest, WhatAScanCameAcrossIsRemovedAndItsDirectoryKeepsItsTime) {
  build({dir("d", file(kName, "half"), file("mine")),
         dir(kName, file(std::string(kStagingMarker)), file("0"))});
  const FileTime time{1'000'000'000, 5};
  ASSERT_TRUE(open("d")->set_mtime("", time));
  ASSERT_TRUE(top()->set_mtime("", time));
  EXPECT_EQ(remove_abandoned(tree(), {"d", kName}), true);
  EXPECT_EQ(remove_abandoned(tree(), {"", kName}), true);
  EXPECT_EQ(remove_abandoned(tree(), {"d", "mine"}), false);
  EXPECT_EQ(names("d"), std::vector<std::string>{"mine"});
  EXPECT_EQ(names(""), std::vector<std::string>{"d"});
  EXPECT_EQ(open("d")->stat_self()->seen.values.mtime, time);
  EXPECT_EQ(top()->stat_self()->seen.values.mtime, time);
}

}  // namespace
}  // namespace ssync::fs
