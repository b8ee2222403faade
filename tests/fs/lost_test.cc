#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include "ssync/fs/tree.h"
#include "ssync/support/fake_tree.h"

namespace ssync::fs {
namespace {

using support::FakeOp;
using support::FakeTree;
using support::file;

TEST(LostTest, AnEntryThatCannotBeReadIsNotTheTree) {
  FakeTree tree({file("bad", "text")});
  tree.fail_at(FakeOp::read, "bad", EIO);
  const auto bad = tree.open("").value()->open_file("bad").value();
  std::array<std::byte, 4> into{};
  const Error error = lost_or(tree, bad->read_at(0, into).error());
  EXPECT_EQ(error.code, Errc::io);
  Problem problem;
  problem.name = "bad";
  problem.sys_errno = EIO;
  EXPECT_FALSE(lost_behind(tree, problem));
}

TEST(LostTest, ATreeWhoseRootFailsTooIsLost) {
  for (const int err : {ENOTCONN, ESTALE, EIO, ENXIO, ESHUTDOWN}) {
    FakeTree tree;
    tree.fail_at(FakeOp::list, "", err);
    const Error error = lost_or(tree, errno_error("reading a/b", err));
    EXPECT_EQ(error.code, Errc::lost) << error.text();
    EXPECT_EQ(error.text(),
              "the file system is gone (mount it again): " + errno_error("reading a/b", err).text());
    Problem problem;
    problem.location = "a";
    problem.name = "b";
    problem.sys_errno = err;
    ASSERT_TRUE(lost_behind(tree, problem));
    EXPECT_EQ(lost_behind(tree, problem)->code, Errc::lost);
  }
}

TEST(LostTest, OtherErrorsAreNotWorthALook) {
  FakeTree tree;
  tree.fail_at(FakeOp::list, "", EIO);
  tree.clear_operations();
  EXPECT_EQ(lost_or(tree, errno_error("opening a", ENOENT)).code, Errc::not_found);
  EXPECT_EQ(lost_or(tree, errno_error("writing a", ENOSPC)).code, Errc::no_space);
  EXPECT_TRUE(tree.operations().empty());
}

TEST(LostTest, ARootThatFailsForAnotherReasonIsThere) {
  FakeTree tree;
  tree.fail_at(FakeOp::list, "", EACCES);
  EXPECT_EQ(lost_or(tree, errno_error("reading a", EIO)).code, Errc::io);
}

}  // namespace
}  // namespace ssync::fs
