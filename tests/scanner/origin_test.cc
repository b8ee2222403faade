// A source's file under a new path, known by its inode.
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

class ScannerOriginTest : public ScannerTest {
 protected:
  ScannerOriginTest() {
    tree_.tick();
    index::Index idx = open_index();
    scan(tree_, idx);
    learn(tree_, idx, {"old", "a"}, std::byte{1});
    learn(tree_, idx, {"old", "b"}, std::byte{2});
    tree_.tick();
  }
  Scanned next() {
    index::Index idx = open_index();
    return scan(tree_, idx);
  }

  FakeTree tree_{{dir("old", file("a", "text"), file("b", "other"), file("unread", "?"))}};
};

TEST_F(ScannerOriginTest, AMovedDirectorysFilesAreProvenWithoutARead) {
  tree_.move("old", "new");
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("new/a").origin, "old/a proven");
  EXPECT_FALSE(scanned.rows.at("new/a").doubt);
  EXPECT_TRUE(scanned.rows.at("new/a").has_checksum);
  EXPECT_EQ(scanned.rows.at("new/b").origin, "old/b proven");
  EXPECT_EQ(scanned.rows.at("new/unread").origin, "");
  EXPECT_TRUE(scanned.rows.at("new/unread").doubt);
}

TEST_F(ScannerOriginTest, DirectoriesInAMovedOneAreFollowed) {
  tree_.add(
      dir("top", file("m", "in the middle"), dir("sub", dir("deep", file("x", "deep one")), file("y", "y"))));
  {
    index::Index idx = open_index();
    scan(tree_, idx);
    learn(tree_, idx, {"top", "m"}, std::byte{3});
    learn(tree_, idx, {"top/sub/deep", "x"}, std::byte{4});
    learn(tree_, idx, {"top/sub", "y"}, std::byte{5});
  }
  tree_.move("top", "high");
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("high/m").origin, "top/m proven");
  EXPECT_EQ(scanned.rows.at("high/sub/y").origin, "top/sub/y proven");
  EXPECT_EQ(scanned.rows.at("high/sub/deep/x").origin, "top/sub/deep/x proven");
}

TEST_F(ScannerOriginTest, ANameInAMovedDirectoryIsNoEvidenceWithoutItsInode) {
  tree_.move("old", "new");
  tree_.move("new/a", "new/c");
  tree_.move("new/b", "new/a");
  tree_.add(file("elsewhere", "b is new"));
  tree_.move("elsewhere", "new/b");
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("new/a").origin, "old/b");
  EXPECT_EQ(scanned.rows.at("new/b").origin, "");
  EXPECT_TRUE(scanned.rows.at("new/b").doubt);
  EXPECT_EQ(scanned.rows.at("new/c").origin, "old/a");
}

TEST_F(ScannerOriginTest, WhatWasProvenIsKnownAtTheNewPath) {
  tree_.move("old", "new");
  tree_.tick();
  next();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("new/a").origin, "");
  EXPECT_TRUE(scanned.rows.at("new/a").has_checksum);
  EXPECT_FALSE(scanned.rows.at("new/a").doubt);
}

TEST_F(ScannerOriginTest, ARenamedFileIsEvidenceThatAReadMustConfirm) {
  tree_.move("old/a", "renamed");  // moves its ctime
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("renamed").origin, "old/a");
  EXPECT_TRUE(scanned.rows.at("renamed").doubt);
  EXPECT_FALSE(scanned.rows.at("renamed").has_checksum);
}

TEST_F(ScannerOriginTest, AnotherSizeOrTimeIsNoOrigin) {
  tree_.move("old/a", "grown");
  tree_.append("grown", "more");
  tree_.move("old/b", "touched");
  tree_.touch("touched", {1, 2});
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("grown").origin, "");
  EXPECT_EQ(scanned.rows.at("touched").origin, "");
}

TEST_F(ScannerOriginTest, AnEntryWithARecordAtItsPathHasNoOrigin) {
  tree_.chmod("old/a", 0600);
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("old/a").origin, "");
  EXPECT_TRUE(scanned.rows.at("old/a").doubt);
}

TEST_F(ScannerOriginTest, InodesOfNoMeaningAreNotLookedUp) {
  fs::Volume volume;
  volume.stable_inodes = false;
  tree_.set_volume(volume);
  tree_.move("old", "new");
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("new/a").origin, "");
  EXPECT_TRUE(scanned.rows.at("new/a").doubt);
}

TEST_F(ScannerOriginTest, AnUnstableCtimeProvesNothing) {
  fs::Volume volume;
  volume.stable_ctime = false;
  tree_.set_volume(volume);
  tree_.move("old", "new");
  tree_.tick();
  EXPECT_EQ(next().rows.at("new/a").origin, "old/a");
}

TEST_F(ScannerOriginTest, AMirrorHasNoOrigins) {
  index::Index idx = open_index(index::Role::mirror);
  scan_mirror(tree_, idx);
  learn(tree_, idx, {"old", "a"}, std::byte{1});
  tree_.move("old", "new");
  tree_.tick();
  EXPECT_EQ(scan_mirror(tree_, idx).rows.at("new/a").origin, "");
}

}  // namespace
}  // namespace ssync::scanner::test
