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
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("b/socket").kind, Kind::special);
  EXPECT_THAT(scanned.problems, IsEmpty());
  EXPECT_THAT(listed(), ElementsAre("", "b"));
}

TEST_F(ScannerNamesTest, WhereTheyMayNotBeBelievedAllIsListed) {
  const fs::Volume good = tree_.volume().value();
  for (bool fs::Volume::*const fact :
       {&fs::Volume::stable_ctime, &fs::Volume::stable_inodes, &fs::Volume::names_move_ctime}) {
    fs::Volume volume = good;
    volume.*fact = false;
    tree_.set_volume(volume);
    next();
    next();
    EXPECT_THAT(listed(), ElementsAre("", "a", "a/deep", "b"));
  }
}

// Two images that were made alike are no reason to believe the one's names of the other.
TEST_F(ScannerNamesTest, OnAnotherDeviceAllIsListedOnce) {
  next();
  next();
  ASSERT_THAT(listed(), ElementsAre(""));
  tree_.mount("", tree_.volume().value());
  next();
  EXPECT_THAT(listed(), ElementsAre("", "a", "a/deep", "b"));
  next();
  EXPECT_THAT(listed(), ElementsAre(""));
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
TEST_F(ScannerNamesTest, AnIndexThatIsCutMeanwhileIsNotBelieved) {
  for (int i = 0; i < 100'000; ++i)
    tree_.add(file("file" + std::to_string(i)), "b");
  tree_.tick();
  const Scanned first = next();
  tree_.on_operation([this](const support::FakeOperation& operation) {
    if (operation.op == FakeOp::stat && operation.path == "b/file0")
      std::filesystem::resize_file(base(), std::filesystem::file_size(base()) / 4);
  });
  tree_.clear_operations();
  index::Index idx = open_index();
  const Scanned second = scan(tree_, idx, {}, Commit::no);
  EXPECT_THAT(listed(), ElementsAre("", "b"));
  EXPECT_EQ(second.paths, first.paths);
}

// Against the rules, but the names of an encrypted directory come and go like that with its key. As many as
// before, and others: one that was there is missed.
TEST_F(ScannerNamesTest, NamesThatChangeUnderTheSameStatAreSeen) {
  tree_.set_limits({.mtime_granularity_ns = 4'000'000'000});  // ctimes too
  tree_.tick(std::chrono::seconds(60) - std::chrono::nanoseconds(123'456'789));
  tree_.touch("a/deep", {1'700'000'000, 0});
  tree_.tick(std::chrono::milliseconds(2'500));
  next();
  next();
  ASSERT_THAT(listed(), ElementsAre(""));
  const fs::Stat before = tree_.stat("a/deep");
  tree_.move("a/deep/y", "a/deep/yy");
  tree_.touch("a/deep", before.seen.values.mtime);
  ASSERT_EQ(tree_.stat("a/deep").seen, before.seen);
  EXPECT_THAT(next().paths, ElementsAre("a", "b", "f", "a/deep", "a/x", "a/deep/yy", "a/deep/z"));
  EXPECT_THAT(listed(), ElementsAre("", "a/deep"));
}

TEST_F(ScannerNamesTest, AllIsListedForWhoDoesNotBelieveStats) {
  next();
  tree_.clear_operations();
  index::Index idx = open_index();
  scan(tree_, idx, {.believe_names = false});
  EXPECT_THAT(listed(), ElementsAre("", "a", "a/deep", "b"));
}

// The index does not have all of its names: it is listed in time for its parent's block to say so.
TEST_F(ScannerNamesTest, ADirectoryWithASocketThatCannotBeListedAnyMoreIsAProblem) {
  tree_.add(special("socket"), "a");
  tree_.tick();
  next();
  tree_.fail_at(FakeOp::list, "a", EIO);
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.error);
  EXPECT_EQ(scanned.rows.at("a").kind, Kind::unreadable);
  EXPECT_TRUE(scanned.rows.contains("b"));
}

// Another one was in its place when it was opened.
TEST_F(ScannerNamesTest, NamesOfAnotherDirectoryThanTheStatIsOfAreNotKept) {
  tree_.add(dir("other", file("1"), file("2")));
  tree_.tick();
  bool swapped = false;
  tree_.on_operation([&](const support::FakeOperation& operation) {
    if (operation.op != FakeOp::open || operation.path != "b" || swapped) return;
    swapped = true;
    tree_.move("b", "away");
    tree_.move("other", "b");
  });
  next();
  ASSERT_TRUE(swapped);
  EXPECT_EQ(open_index().find({"", "b"})->names, std::nullopt);
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
  EXPECT_THAT(listed(), ElementsAre("", "a"));
}

}  // namespace
}  // namespace ssync::scanner::test
