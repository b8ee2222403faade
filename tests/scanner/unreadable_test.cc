// What cannot be read, and what goes away while it is read.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScannerUnreadableTest : public ScannerTest {
 protected:
  Scanned next(Options options = {}) {
    index::Index idx = open_index();
    return scan(tree_, idx, options);
  }

  FakeTree tree_{
      {dir("a", file("x"), dir("deep", file("y"))), dir("b", file("z")), link("l", "t"), file("f", "text")}};
};

TEST_F(ScannerUnreadableTest, ADirectoryThatCannotBeOpenedIsSaidInItsParentsBlock) {
  tree_.fail_at(FakeOp::open, "a", EACCES);
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("a").kind, Kind::unreadable);
  EXPECT_THAT(scanned.problems, ElementsAre("a: reading the directory: Permission denied (subtree)"));
  EXPECT_THAT(scanned.paths, ElementsAre("a", "b", "f", "l", "b/z"));
  EXPECT_THAT(scanned.locations, ElementsAre("", "b"));  // an empty block would say that "a" is empty
}

TEST_F(ScannerUnreadableTest, SoIsOneThatCannotBeListed) {
  tree_.fail_at(FakeOp::list, "a/deep", EIO);
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("a/deep").kind, Kind::unreadable);
  EXPECT_THAT(scanned.problems, ElementsAre("a/deep: reading the directory: Input/output error (subtree)"));
  EXPECT_FALSE(scanned.rows.contains("a/deep/y"));
}

TEST_F(ScannerUnreadableTest, EntriesWithoutAStatOrATargetAreUnreadable) {
  tree_.fail_at(FakeOp::stat, "a/x", EIO);
  tree_.fail_at(FakeOp::read_link, "l", EIO);
  const Scanned scanned = next();
  EXPECT_EQ(scanned.rows.at("a/x").kind, Kind::unreadable);
  EXPECT_EQ(scanned.rows.at("l").kind, Kind::unreadable);
  EXPECT_THAT(scanned.problems, ElementsAre("l: reading the link: Input/output error (subtree)",
                                            "a/x: reading the attributes: Input/output error (subtree)"));
}

TEST_F(ScannerUnreadableTest, ARootThatCannotBeListedIsAnError) {
  tree_.fail_at(FakeOp::list, "", EIO);
  const Scanned scanned = next();
  ASSERT_TRUE(scanned.error);
  EXPECT_EQ(scanned.error->code, Errc::io);
  EXPECT_THAT(scanned.paths, IsEmpty());
}

TEST_F(ScannerUnreadableTest, ANameThatVanishedBeforeItsStatIsNotThere) {
  tree_.on_operation([this](const support::FakeOperation& operation) {
    if (operation.op == FakeOp::stat && operation.path == "f" && tree_.exists("f")) tree_.erase("f");
  });
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.rows.contains("f"));
  EXPECT_THAT(scanned.problems, IsEmpty());
}

TEST_F(ScannerUnreadableTest, ADirectoryThatVanishedAfterItsRowIsEmpty) {
  tree_.on_operation([this](const support::FakeOperation& operation) {
    if (operation.op == FakeOp::stat && operation.path == "b/z" && tree_.exists("b")) tree_.erase("b");
  });
  const Scanned scanned = next();
  EXPECT_TRUE(scanned.rows.contains("b"));
  EXPECT_FALSE(scanned.rows.contains("b/z"));
  EXPECT_FALSE(scanned.error);
  EXPECT_THAT(scanned.problems, IsEmpty());
}

TEST_F(ScannerUnreadableTest, WhatWasKnownOfAnUnreadableEntryIsKept) {
  tree_.tick();
  next();
  {
    index::Index idx = open_index();
    learn(tree_, idx, {"", "f"}, std::byte{3});
  }
  tree_.fail_at(FakeOp::stat, "f", EIO);
  EXPECT_EQ(next().rows.at("f").kind, Kind::unreadable);
  tree_.clear_failures();
  const Scanned scanned = next();
  EXPECT_TRUE(scanned.rows.at("f").has_checksum);
  EXPECT_FALSE(scanned.rows.at("f").doubt);
}

TEST_F(ScannerUnreadableTest, AFailedScanLeavesTheIndexAsItWas) {
  tree_.tick();
  next();
  tree_.fail_at(FakeOp::list, "", EIO);
  index::Index idx = open_index();
  Scanner scanner(tree_, idx, {});
  EXPECT_FALSE(scanner.next());
  EXPECT_EQ(scanner.commit_index(idx.header()).error().code, Errc::invalid_argument);
  EXPECT_EQ(scanner.next().error().code, Errc::closed);
  EXPECT_TRUE(open_index().find({"", "f"}));
}

}  // namespace
}  // namespace ssync::scanner::test
