// A directory that is as the index saw it is not listed: its names are known. Whatever makes that unsure
// makes it listed.
#include <algorithm>
#include <cerrno>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScannerNamesTest : public ScannerTest {
 protected:
  ScannerNamesTest() { tree_.tick(); }

  Scanned next(index::Role role = index::Role::source) {
    tree_.clear_operations();
    index::Index idx = open_index(role);
    return scan(tree_, idx, {.role = role});
  }
  [[nodiscard]] std::vector<std::string> listed() const {
    std::vector<std::string> paths;
    for (const support::FakeOperation& operation : tree_.operations())
      if (operation.op == FakeOp::list) paths.push_back(operation.path);
    std::ranges::sort(paths);
    return paths;
  }
  [[nodiscard]] std::filesystem::path base() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "state"))
      if (entry.path().extension() == ".index") return entry.path();
    return {};
  }

  FakeTree tree_{{dir("a", file("x", "text"), dir("deep", file("y"), link("z", "y"))), dir("b"), file("f")}};
};

TEST_F(ScannerNamesTest, OnlyTheRootOfAnUnchangedTreeIsListed) {
  const Scanned first = next();
  EXPECT_THAT(listed(), ElementsAre("", "a", "a/deep", "b"));
  const Scanned second = next();
  EXPECT_THAT(listed(), ElementsAre(""));
  EXPECT_EQ(second.paths, first.paths);
  EXPECT_EQ(second.locations, first.locations);
  next(index::Role::mirror);
  next(index::Role::mirror);
  EXPECT_THAT(listed(), ElementsAre(""));
}

TEST_F(ScannerNamesTest, WhatComesOrGoesIsSeen) {
  next();
  tree_.add(file("new"), "a/deep");
  tree_.erase("a/x");
  tree_.tick();
  EXPECT_THAT(next().paths, ElementsAre("a", "b", "f", "a/deep", "a/deep/new", "a/deep/y", "a/deep/z"));
  EXPECT_THAT(listed(), ElementsAre("", "a", "a/deep"));
  EXPECT_THAT(next().paths, ElementsAre("a", "b", "f", "a/deep", "a/deep/new", "a/deep/y", "a/deep/z"));
  EXPECT_THAT(listed(), ElementsAre(""));
}

TEST_F(ScannerNamesTest, ADirectoryWhoseMtimeWasPutBackIsListed) {
  next();
  const FileTime before = tree_.stat("b").seen.values.mtime;
  tree_.add(file("new"), "b");
  tree_.touch("b", before);
  tree_.tick();
  EXPECT_TRUE(next().rows.contains("b/new"));
}

// A later name might leave its ctime as it is.
TEST_F(ScannerNamesTest, AYoungDirectoryIsListedAgain) {
  tree_.add(file("one"), "b");
  next();
  tree_.add(file("two"), "b");  // the clock has not moved
  EXPECT_TRUE(next().rows.contains("b/two"));
  tree_.tick();
  next();
  EXPECT_THAT(listed(), ElementsAre("", "b"));
  next();
  EXPECT_THAT(listed(), ElementsAre(""));
}

// It was seen together with other names than the base has.
TEST_F(ScannerNamesTest, ADirectoryThatTheLogKnowsIsListed) {
  next();
  tree_.add(file("new"), "b");
  tree_.tick();
  {
    index::Index idx = open_index();
    index::Record record = *idx.find({"", "b"});
    record.held = tree_.stat("b").seen;
    ASSERT_TRUE(idx.append({"", "b"}, record));
    ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  }
  EXPECT_TRUE(next().rows.contains("b/new"));
}

TEST_F(ScannerNamesTest, ADirectoryWithNamesThatAreInNoRowIsListed) {
  tree_.add(special("socket"), "b");
  tree_.tick();
  next();
  EXPECT_THAT(next().problems, ElementsAre("b/socket: skipped: a socket, fifo or device (warning)"));
  EXPECT_THAT(listed(), ElementsAre("", "b"));
}

TEST_F(ScannerNamesTest, WhereCtimesOrInodesMeanNothingAllIsListed) {
  for (const bool stable_ctime : {false, true}) {
    fs::Volume volume = tree_.volume().value();
    volume.stable_ctime = stable_ctime;
    volume.stable_inodes = !stable_ctime;
    tree_.set_volume(volume);
    next();
    next();
    EXPECT_THAT(listed(), ElementsAre("", "a", "a/deep", "b"));
  }
}

TEST_F(ScannerNamesTest, AMountPointIsListed) {
  tree_.mount("a", tree_.volume().value());
  next();
  next();
  EXPECT_THAT(listed(), ElementsAre("", "a"));
}

TEST_F(ScannerNamesTest, ADirectoryWhoseBlockIsDamagedIsListed) {
  for (int i = 0; i < 600; ++i)
    tree_.add(file("file" + std::to_string(i)), "b");
  tree_.tick();
  const Scanned first = next();
  std::fstream bytes(base(), std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(std::filesystem::file_size(base()) / 2));
  bytes.put('\x55').put('\x55');
  bytes.close();
  const Scanned second = next();
  EXPECT_THAT(listed(), ElementsAre("", "b"));
  EXPECT_EQ(second.paths, first.paths);
  EXPECT_FALSE(second.error);
}

// Nobody may take the names that are missing then for deleted ones.
TEST_F(ScannerNamesTest, AnIndexThatIsCutMeanwhileEndsTheScan) {
  for (int i = 0; i < 100'000; ++i)
    tree_.add(file("file" + std::to_string(i)), "b");
  tree_.tick();
  next();
  tree_.on_operation([this](const support::FakeOperation& operation) {
    if (operation.op == FakeOp::stat && operation.path == "b/file0")
      std::filesystem::resize_file(base(), std::filesystem::file_size(base()) / 4);
  });
  const Scanned scanned = next();
  ASSERT_TRUE(scanned.error);
  EXPECT_EQ(scanned.error->text(),
            "scanning b: its names: the index could be read a moment ago, and cannot be now");
}

// The first file of the moved one says where that was; the directories behind it are where they were in it.
TEST_F(ScannerNamesTest, DirectoriesBelowAMovedOneAreNotListed) {
  tree_.add(file("Makefile", "all:"), "a");
  tree_.write("a/deep/y", "content");
  tree_.tick();
  next();
  {
    index::Index idx = open_index();
    learn(tree_, idx, {"a", "Makefile"}, std::byte{1});
    learn(tree_, idx, {"a/deep", "y"}, std::byte{2});
  }
  next();
  tree_.move("a", "moved");
  tree_.tick();
  const Scanned scanned = next();
  EXPECT_THAT(listed(), ElementsAre("", "moved"));
  EXPECT_EQ(scanned.rows.at("moved/deep/y").origin, "a/deep/y proven");
  EXPECT_TRUE(scanned.rows.contains("moved/deep/z"));
  EXPECT_EQ(next().paths, scanned.paths);
  EXPECT_THAT(listed(), ElementsAre(""));
}

// The next base has no names of what cannot be read, so none are known when it can be read again.
TEST_F(ScannerNamesTest, ADirectoryThatWasUnreadableIsListed) {
  next();
  tree_.fail_at(FakeOp::open, "b", EACCES);
  EXPECT_EQ(next().rows.at("b").kind, Kind::unreadable);
  tree_.clear_failures();
  next();
  EXPECT_THAT(listed(), ElementsAre("", "b"));
}

TEST_F(ScannerNamesTest, AKnownNameThatIsGoneIsNotThere) {
  next();
  tree_.on_operation([this](const support::FakeOperation& operation) {
    if (operation.op == FakeOp::stat && operation.path == "a/x" && tree_.exists("a/x")) tree_.erase("a/x");
  });
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.rows.contains("a/x"));
  EXPECT_THAT(scanned.problems, IsEmpty());
  tree_.tick();
  EXPECT_FALSE(next().rows.contains("a/x"));
  EXPECT_THAT(listed(), ElementsAre("", "a"));
}

}  // namespace
}  // namespace ssync::scanner::test
