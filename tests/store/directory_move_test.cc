// A directory that cannot be renamed is moved in parts.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/store/applier.h"
#include "ssync/support/changes.h"
#include "ssync/support/fake_tree.h"

namespace ssync::store {
namespace {

using support::change_from;
using support::dir;
using support::FakeOp;
using support::FakeTree;
using support::file;
using support::link;

constexpr support::DumpOptions kNames{.mtime = false, .mode = false, .root = false, .staging = false};

class DirectoryMoveTest : public testing::TestWithParam<Durable> {
 protected:
  std::string apply(const Change& change) {
    const Applied applied = applier_.apply(change, {}).value();
    if (applied.state == Applied::State::stale) return "stale";
    return applied.state == Applied::State::done ? "done" : applied.problem.text;
  }
  Change move(std::string_view from, std::string_view to) {
    return change_from(Op::rename_directory, from, to, {.kind = Kind::directory, .mode = 0755}, mirror_);
  }
  /// What the plan says of something that came along.
  Change later(Op op, const Seen& scanned, std::string_view path) {
    Change change;
    change.step = support::step_of(op);
    change.location = split(path).location;
    change.name = split(path).name;
    change.wanted = scanned.values;
    change.at_path = scanned;
    applier_.follow(change);
    return change;
  }
  void refuse_renames() {
    for (const char* path : {"old", "old/f", "old/s", "old/s/g", "old/l"})
      mirror_.fail_at(FakeOp::rename, path, EXDEV);
  }

  FakeTree mirror_{std::vector<support::Node>{
      dir("old", file("f", "content"), dir("s", file("g", "below")).with_mode(0500), link("l", "f")),
      dir("to")}};
  fs::Staging staging_{mirror_};
  Applier applier_{mirror_, staging_, {.durable = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Durable, DirectoryMoveTest, testing::Values(Durable::no, Durable::yes),
                         [](const auto& with) { return with.param == Durable::yes ? "Durable" : "Fast"; });

constexpr const char* kMoved =
    "to dir -\nto/new dir -\nto/new/f file 7 \"content\"\nto/new/l link - -> f\nto/new/s dir -\n"
    "to/new/s/g file 5 \"below\"\n";

TEST_P(DirectoryMoveTest, CopiesWhatCannotBeRenamedEither) {
  refuse_renames();
  EXPECT_EQ(apply(move("old", "to/new")), "done");
  EXPECT_EQ(mirror_.dump(kNames), kMoved);
  EXPECT_TRUE(applier_.moved_in_parts());
  EXPECT_EQ(mirror_.stat("to/new/f").seen.values.mtime, support::kBuiltMtime);
}

TEST_P(DirectoryMoveTest, ASpecialEntryThatCannotBeRenamedGoes) {
  FakeTree mirror(
      std::vector<support::Node>{dir("old", support::special("fifo"), file("f", "content")), dir("to")});
  fs::Staging staging(mirror);
  Applier applier(mirror, staging, {.durable = GetParam()});
  for (const char* path : {"old", "old/f", "old/fifo"})
    mirror.fail_at(FakeOp::rename, path, EXDEV);
  const Change change =
      change_from(Op::rename_directory, "old", "to/new", {.kind = Kind::directory, .mode = 0755}, mirror);
  const Applied applied = applier.apply(change, {}).value();
  EXPECT_EQ(applied.state, Applied::State::done) << applied.problem.text;
  EXPECT_EQ(mirror.dump(kNames), "to dir -\nto/new dir -\nto/new/f file 7 \"content\"\n");
}

TEST_P(DirectoryMoveTest, RenamesWhatItCan) {
  mirror_.fail_at(FakeOp::rename, "old", EXDEV);
  const std::uint64_t file = mirror_.stat("old/f").seen.inode;
  const std::uint64_t below = mirror_.stat("old/s").seen.inode;
  EXPECT_EQ(apply(move("old", "to/new")), "done");
  EXPECT_EQ(mirror_.dump(kNames), kMoved);
  EXPECT_EQ(mirror_.stat("to/new/f").seen.inode, file);
  EXPECT_EQ(mirror_.stat("to/new/s").seen.inode, below);
}

TEST_P(DirectoryMoveTest, TheStepsThatFollowFindWhatWasMadeAnew) {
  refuse_renames();
  const Seen file = mirror_.stat("old/f").seen;
  const Seen below = mirror_.stat("old/s").seen;
  const Seen in_below = mirror_.stat("old/s/g").seen;
  const Seen to_link = mirror_.stat("old/l").seen;
  EXPECT_EQ(apply(move("old", "to/new")), "done");
  Change metadata = later(Op::set_metadata, file, "to/new/f");
  metadata.wanted.mode = 0600;
  EXPECT_EQ(apply(metadata), "done");
  EXPECT_EQ(apply(later(Op::remove, to_link, "to/new/l")), "done");
  EXPECT_EQ(apply(later(Op::remove, in_below, "to/new/s/g")), "done");
  EXPECT_EQ(apply(later(Op::remove_directory, below, "to/new/s")), "done");
  EXPECT_EQ(mirror_.dump(kNames), "to dir -\nto/new dir -\nto/new/f file 7 \"content\"\n");
}

TEST_P(DirectoryMoveTest, WhatCannotBeCopiedStaysAndIsRequested) {
  refuse_renames();
  const Seen file = mirror_.stat("old/f").seen;
  mirror_.fail_at(FakeOp::open_file, "old/f", EIO);
  EXPECT_EQ(apply(move("old", "to/new")), "open: Input/output error");
  EXPECT_EQ(mirror_.read("old/f"), "content");
  EXPECT_EQ(mirror_.read("to/new/s/g"), "below");
  EXPECT_EQ(apply(later(Op::set_metadata, file, "to/new/f")), "stale");
}

TEST_P(DirectoryMoveTest, NeverMovesOntoSomething) {
  refuse_renames();
  const Change change = move("old", "to/new");
  mirror_.add(file("new", "somebody's"), "to");
  EXPECT_NE(apply(change), "done");
  EXPECT_EQ(mirror_.read("to/new"), "somebody's");
  EXPECT_EQ(mirror_.read("old/f"), "content");
}

TEST(DurableDirectoryMoveTest, APowerCutAtAnyChangeLosesNothing) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    FakeTree mirror({dir("old", file("f", "content")), dir("to")});
    fs::Staging staging(mirror);
    Applier applier(mirror, staging, {});
    mirror.fail_at(FakeOp::rename, "old", EXDEV);
    mirror.fail_at(FakeOp::rename, "old/f", EXDEV);
    const Change change =
        change_from(Op::rename_directory, "old", "to/new", {.kind = Kind::directory, .mode = 0755}, mirror);
    mirror.fail_from(n, EIO);
    (void)applier.apply(change, {}).value();
    const bool all = mirror.change_count() < n;
    mirror.clear_failures();
    mirror.lose_unsynced_content();
    ASSERT_TRUE(mirror.exists("old/f") || mirror.exists("to/new/f"));
    for (const char* path : {"old/f", "to/new/f"}) {
      if (mirror.exists(path)) {
        EXPECT_EQ(mirror.read(path), "content") << path;
      }
    }
    if (testing::Test::HasFailure() || all) return;
  }
}

}  // namespace
}  // namespace ssync::store
