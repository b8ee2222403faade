// When a stat proves nothing, and what is then remembered.
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

class ScannerDoubtTest : public ScannerTest {
 protected:
  /// Scanned and learned once, by an index of this role; a second has gone by.
  void settle(index::Role role) {
    tree_.tick();
    index::Index idx = open_index(role);
    scan(tree_, idx, {.role = role});
    learn(tree_, idx, {"", "f"}, std::byte{1});
    index::Index again = open_index(role);
    ASSERT_TRUE(scan(tree_, again, {.role = role}).rows.at("f").has_checksum);
    tree_.tick();
  }
  Row next(index::Role role = index::Role::source) {
    index::Index idx = open_index(role);
    Row row = scan(tree_, idx, {.role = role}).rows.at("f");
    record_ = idx.find({"", "f"}).value_or(index::Record{});
    return row;
  }

  FakeTree tree_{{file("f", "text"), dir("d"), link("l", "f")}};
  index::Record record_;  // of f, after next()
};

TEST_F(ScannerDoubtTest, FirstContactIsFreeOfDoubt) {
  tree_.tick();
  EXPECT_FALSE(next().doubt);
  EXPECT_FALSE(record_.racy);
}

TEST_F(ScannerDoubtTest, AnUnchangedStatIsTrusted) {
  settle(index::Role::source);
  const Row row = next();
  EXPECT_FALSE(row.doubt);
  EXPECT_TRUE(row.has_checksum);
  EXPECT_FALSE(record_.racy);
}

TEST_F(ScannerDoubtTest, AnotherCtimeIsDoubt) {
  settle(index::Role::source);
  tree_.chmod("f", 0600);
  tree_.tick();
  const Row row = next();
  EXPECT_TRUE(row.doubt);
  EXPECT_FALSE(row.has_checksum);
  EXPECT_TRUE(record_.racy);
  EXPECT_FALSE(record_.checksum);
  EXPECT_EQ(record_.held.values.mode, 0600);
}

TEST_F(ScannerDoubtTest, DoubtStaysUntilItIsSettled) {
  settle(index::Role::source);
  tree_.chmod("f", 0600);
  tree_.tick();
  EXPECT_TRUE(next().doubt);
  EXPECT_TRUE(next().doubt);
  index::Index idx = open_index();
  learn(tree_, idx, {"", "f"}, std::byte{2});
  EXPECT_FALSE(next().doubt);
}

TEST_F(ScannerDoubtTest, AnotherInodeIsDoubt) {
  settle(index::Role::source);
  const fs::Stat before = tree_.stat("f");
  index::Index idx = open_index();
  index::Record record = *idx.find({"", "f"});
  record.held.inode = before.seen.inode + 1000;
  ASSERT_TRUE(idx.append({"", "f"}, record));
  ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  EXPECT_TRUE(next().doubt);
}

TEST_F(ScannerDoubtTest, UnstableFieldsOfTheVolumeAreIgnored) {
  settle(index::Role::source);
  index::Index idx = open_index();
  index::Record record = *idx.find({"", "f"});
  record.held.inode += 1000;
  record.held.ctime.s -= 1000;
  ASSERT_TRUE(idx.append({"", "f"}, record));
  ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  fs::Volume volume;
  volume.stable_inodes = volume.stable_ctime = false;
  tree_.set_volume(volume);
  const Row row = next();
  EXPECT_FALSE(row.doubt);
  EXPECT_TRUE(row.has_checksum);
}

TEST_F(ScannerDoubtTest, AMountBelowHasItsOwnStableFields) {
  FakeTree tree({file("f", "text"), dir("nfs", file("g", "text"))});
  fs::Volume nfs;
  nfs.stable_inodes = false;
  tree.mount("nfs", nfs);
  tree.tick();
  {
    index::Index idx = open_index();
    scan(tree, idx);
    for (const PathView path : {PathView{"", "f"}, {"nfs", "g"}}) {
      index::Record record = *idx.find(path);
      record.held.inode += 1000;
      ASSERT_TRUE(idx.append(path, record));
    }
    ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  }
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_TRUE(scanned.rows.at("f").doubt);
  EXPECT_FALSE(scanned.rows.at("nfs/g").doubt);
}

TEST_F(ScannerDoubtTest, AnotherDeviceNumberIsNoDoubt) {
  settle(index::Role::source);
  index::Index idx = open_index();
  index::Record record = *idx.find({"", "f"});
  record.held.device += 7;
  ASSERT_TRUE(idx.append({"", "f"}, record));
  ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  EXPECT_FALSE(next().doubt);
}

TEST_F(ScannerDoubtTest, AYoungStatIsRememberedAsRacyAndReadNextTime) {
  settle(index::Role::source);
  tree_.write("f", "TEXT");
  const Row first = next();  // at the very tick of the change
  EXPECT_TRUE(first.doubt);
  index::Index idx = open_index();
  learn(tree_, idx, {"", "f"}, std::byte{2});
  const Row second = next();  // still at that tick: the checksum proves nothing, as another write may follow
  EXPECT_FALSE(second.has_checksum);
  EXPECT_TRUE(record_.racy);
  EXPECT_FALSE(record_.checksum);
  tree_.tick();
  EXPECT_TRUE(next().doubt);
}

TEST_F(ScannerDoubtTest, AFirstScanOfAYoungFileIsRacyOnBothSides) {
  for (const index::Role role : {index::Role::source, index::Role::mirror}) {
    tree_.write("f", "young");
    EXPECT_FALSE(next(role).doubt);
    EXPECT_TRUE(record_.racy);
    tree_.tick();
    EXPECT_TRUE(next(role).doubt);
  }
}

TEST_F(ScannerDoubtTest, AMissingRecordIsDoubt) {
  settle(index::Role::source);
  index::Index idx = open_index();
  ASSERT_TRUE(idx.append_removed({"", "f"}));
  ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  EXPECT_TRUE(next().doubt);
}

TEST_F(ScannerDoubtTest, AnUnreadableIndexIsDoubtAndIsReplaced) {
  settle(index::Role::source);
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "state"))
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2);
  EXPECT_TRUE(next().doubt);
  EXPECT_TRUE(record_.racy);
  EXPECT_TRUE(open_index().damage().empty());
}

TEST_F(ScannerDoubtTest, DirectoriesAndLinksAreNeverInDoubt) {
  settle(index::Role::source);
  tree_.chmod("d", 0700);
  tree_.erase("l");
  tree_.add(link("l", "elsewhere"));
  index::Index idx = open_index();
  const Scanned scanned = scan(tree_, idx);
  EXPECT_FALSE(scanned.rows.at("d").doubt);
  EXPECT_FALSE(scanned.rows.at("l").doubt);
}

TEST_F(ScannerDoubtTest, AMirrorWithoutIndexWantsWhatItHas) {
  tree_.tick();
  const Row row = next(index::Role::mirror);
  EXPECT_EQ(row.wanted, tree_.stat("f").seen.values);
  EXPECT_EQ(record_.wanted, row.wanted);
}

TEST_F(ScannerDoubtTest, AMirrorKeepsWantedWhileTheStatIsHeld) {
  settle(index::Role::mirror);
  index::Index idx = open_index(index::Role::mirror);
  index::Record record = *idx.find({"", "f"});
  record.wanted = Values{.size = 4, .mtime = {5, 6}};
  ASSERT_TRUE(idx.append({"", "f"}, record));
  ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  EXPECT_EQ(next(index::Role::mirror).wanted, record.wanted);
  EXPECT_EQ(next(index::Role::mirror).wanted, record.wanted);
  tree_.chmod("f", 0600);
  tree_.tick();
  const Row changed = next(index::Role::mirror);
  EXPECT_TRUE(changed.doubt);
  EXPECT_EQ(changed.wanted, std::nullopt);
  EXPECT_TRUE(record_.racy);
  EXPECT_EQ(record_.wanted, std::nullopt);
}

TEST_F(ScannerDoubtTest, AMirrorsChangedDirectoryHasNoWanted) {
  settle(index::Role::mirror);
  tree_.chmod("d", 0700);
  index::Index idx = open_index(index::Role::mirror);
  EXPECT_EQ(scan_mirror(tree_, idx).rows.at("d").wanted, std::nullopt);
}

}  // namespace
}  // namespace ssync::scanner::test
