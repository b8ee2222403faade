#include "ssync/support/fake_tree.h"

#include <cerrno>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ssync::support {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

std::unique_ptr<fs::Directory> root_of(FakeTree& tree) {
  return tree.open("").value();
}

TEST(FakeTreeTest, DumpsWhatTheBuildersDescribe) {
  FakeTree tree({dir("d", file("b", "text").with_mode(0600), link("l", "../a")), file("a\n").with_size(5),
                 special("pipe")});
  EXPECT_EQ(tree.dump(),
            ". dir 0755 - 1600000000.500000000\n"
            "a\\#012 file 0644 5 1600000000.500000000 fnv:e4bc4fd9252be94f\n"
            "d dir 0755 - 1600000000.500000000\n"
            "pipe other 0644 - 1600000000.500000000\n"
            "d/b file 0600 4 1600000000.500000000 \"text\"\n"
            "d/l link - - 1600000000.500000000 -> ../a\n");
  EXPECT_EQ(tree.dump({.mtime = false, .mode = false, .root = false}),
            "a\\#012 file 5 fnv:e4bc4fd9252be94f\nd dir -\npipe other -\nd/b file 4 \"text\"\nd/l link - -> "
            "../a\n");
  EXPECT_TRUE(tree.operations().empty());
}

TEST(FakeTreeTest, TakesCtimeFromItsOwnClock) {
  FakeTree tree({file("a", "1")});
  const FileTime built = tree.stat("a").seen.ctime;
  tree.tick(seconds(3));
  tree.write("a", "2");
  EXPECT_EQ(tree.stat("a").seen.ctime, (FileTime{built.s + 3, built.ns}));
  EXPECT_EQ(tree.stat("a").seen.values.mtime, tree.clock());
}

TEST(FakeTreeTest, RecordsChangesByPath) {
  FakeTree tree({dir("d", file("a"))});
  auto d = tree.open("d").value();
  ASSERT_TRUE(d->rename("a", *root_of(tree), "b", fs::Replace::yes));
  ASSERT_TRUE(d->set_mode("", 0700));
  EXPECT_FALSE(d->remove("a"));
  EXPECT_THAT(tree.changes(), ElementsAre("rename d/a -> b", "set_mode d", "remove d/a failed"));
}

TEST(FakeTreeTest, FailsTheNthChangeAndDoesNotDoIt) {
  FakeTree tree({file("a"), file("b"), file("c")});
  tree.fail_nth(2, ENOSPC);
  auto root = root_of(tree);
  EXPECT_TRUE(root->remove("a"));
  EXPECT_EQ(root->remove("b").error().code, Errc::no_space);
  EXPECT_TRUE(root->remove("c"));
  EXPECT_TRUE(tree.exists("b"));
}

TEST(FakeTreeTest, FailsEverythingFromTheNthChangeOn) {
  FakeTree tree({file("a"), file("b"), file("c")});
  tree.fail_from(2, EIO);
  auto root = root_of(tree);
  EXPECT_TRUE(root->remove("a"));
  EXPECT_FALSE(root->remove("b"));
  EXPECT_FALSE(tree.sync());
  EXPECT_TRUE(root->stat("b"));
  tree.clear_failures();
  EXPECT_TRUE(root->remove("b"));
}

TEST(FakeTreeTest, FailsOneKindOfOperationOnOnePath) {
  FakeTree tree({dir("d"), dir("e")});
  tree.fail_at(FakeOp::list, "d", EACCES);
  fs::NameList names;
  EXPECT_EQ(tree.open("d").value()->list(names).error().code, Errc::permission);
  EXPECT_EQ(tree.open("d").value()->list(names).error().code, Errc::permission);
  EXPECT_TRUE(tree.open("e").value()->list(names));
}

TEST(FakeTreeTest, LosesWhatWasNotSynced) {
  FakeTree tree({file("a", "old"), hard_link("same", "a")});
  tree.write("a", "synced");
  ASSERT_TRUE(tree.sync());
  const std::string synced = tree.dump();
  tree.write("a", "lost");
  tree.erase("same");
  tree.add(file("b"));
  tree.lose_unsynced();
  EXPECT_EQ(tree.dump(), synced);
  EXPECT_EQ(tree.stat("same").seen.inode, tree.stat("a").seen.inode);
}

TEST(FakeTreeTest, KeepsNamesButNotContentThatWasNotSynced) {
  FakeTree tree({file("a", "old"), file("b", "same")});
  tree.move("a", "c");
  tree.append("c", " and new");
  tree.add(file("d", "made since"));
  tree.lose_unsynced_content();
  EXPECT_EQ(tree.read("c"), "old");
  EXPECT_EQ(tree.read("b"), "same");
  EXPECT_EQ(tree.read("d"), "");
  EXPECT_FALSE(tree.exists("a"));
}

TEST(FakeTreeTest, ForgetsSpaceOfRemovedFilesWithTheirLastHandle) {
  FakeTree tree({file("a", "x")}, {.capacity_bytes = 4096});
  auto root = root_of(tree);
  auto b = root->create_file("b", 0600).value();
  const std::byte byte{1};
  EXPECT_EQ(b->write_at(0, {&byte, 1}).error().code, Errc::no_space);
  tree.erase("a");
  EXPECT_TRUE(b->write_at(0, {&byte, 1}));
}

TEST(FakeTreeTest, RoundsTimesToItsGranularity) {
  FakeTree tree({file("a")}, {.mtime_granularity_ns = 2'000'000'000, .mode_mask = 0777});
  auto root = root_of(tree);
  ASSERT_TRUE(root->set_mtime("a", {1'600'000'003, 7}));
  ASSERT_TRUE(root->set_mode("a", 04755));
  EXPECT_EQ(tree.stat("a").seen.values.mtime, (FileTime{1'600'000'002, 0}));
  EXPECT_EQ(tree.stat("a").seen.values.mode, 0755);
}

TEST(FakeTreeTest, FoldsCaseWhenToldTo) {
  FakeTree tree({file("Read Me", "x")}, {.case_sensitive = false});
  auto root = root_of(tree);
  EXPECT_TRUE(root->stat("READ ME"));
  EXPECT_EQ(root->create_file("read me", 0600).error().code, Errc::already_exists);
  ASSERT_TRUE(root->rename("Read Me", *root, "README", fs::Replace::yes));
  ASSERT_TRUE(root->rename("README", *root, "Readme", fs::Replace::yes));
  EXPECT_EQ(tree.dump({.mtime = false, .mode = false, .root = false}), "README file 1 \"x\"\n")
      << "the same name in other letters: Linux finds nothing to rename";
}

TEST(FakeTreeTest, MountsHaveTheirOwnDeviceAndVolume) {
  FakeTree tree({dir("m", file("a")), file("b")});
  tree.mount("m", {.type_name = "proc"});
  auto root = root_of(tree);
  EXPECT_TRUE(root->stat("m")->mount_point);
  EXPECT_EQ(tree.open("m").value()->volume()->type_name, "proc");
  EXPECT_EQ(root->volume()->type_name, "fake");
  EXPECT_EQ(root->rename("b", *tree.open("m").value(), "b", fs::Replace::yes).error().code,
            Errc::cross_device);
}

TEST(FakeTreeTest, LetsAHookEditTheTreeBetweenOperations) {
  FakeTree tree({file("a", "old")});
  tree.on_operation([&](const FakeOperation& operation) {
    if (operation.op == FakeOp::open_file) tree.write("a", "raced");
  });
  EXPECT_EQ(read_file(tree, "a"), "raced");
}

}  // namespace
}  // namespace ssync::support
