// What permission bits deny. They deny root nothing, so these run as somebody else, on the real file system.
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/tree_nodes.h"

#include "rig.h"

namespace ssync::transfer {
namespace {

using support::dir;
using support::file;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uid_t kNobody = 65534;

class PermissionTest : public testing::Test {
 protected:
  PermissionTest() {
    if (::getuid() == 0) SSYNC_ASSERT(::setegid(kNobody) == 0 && ::seteuid(kNobody) == 0);
    root_.emplace();
  }
  ~PermissionTest() override {
    if (::getuid() == 0) SSYNC_ASSERT(::seteuid(0) == 0 && ::setegid(0) == 0);
    root_.reset();
  }
  [[nodiscard]] fs::Tree& mirror() { return root_->tree(); }
  std::string apply(Applier& applier, const Change& change) {
    const Applied applied = applier.apply(change, {}).value();
    return applied.state == Applied::State::done ? "done" : applied.problem.text;
  }

  std::optional<TemporaryRoot> root_;
};

TEST_F(PermissionTest, ChangesWhatLiesInAReadOnlyDirectory) {
  ASSERT_TRUE(support::build(mirror(), {dir("d", file("gone", "1"), file("old", "2")).with_mode(0555)}));
  fs::Staging staging(mirror());
  Applier applier(mirror(), staging, {.durable = Durable::no});
  EXPECT_EQ(
      apply(applier, change_from(Op::copy, "d/old", "d/copy", seen(mirror(), "d/old").values, mirror())),
      "done");
  EXPECT_EQ(apply(applier, change_to(Op::remove, "d/gone", mirror(), mirror())), "done");
  EXPECT_EQ(seen(mirror(), "d").values.mode, 0755);  // until the last pass
  EXPECT_EQ(support::read_file(mirror(), "d/copy").value(), "2");
}

TEST_F(PermissionTest, ReceivesIntoAReadOnlyDirectory) {
  TemporaryRoot source;
  ASSERT_TRUE(support::build(source.tree(), {dir("d", file("new", "text").with_mode(0400))}));
  ASSERT_TRUE(support::build(mirror(), {dir("d").with_mode(0555)}));
  fs::Staging staging(mirror());
  const PipeResult result =
      pipe(source.tree(), mirror(), staging, first_copy(source.tree(), mirror()).requests);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(support::read_file(mirror(), "d/new").value(), "text");
}

TEST_F(PermissionTest, FailsAFileThatItMayNotRead) {
  ASSERT_TRUE(support::build(mirror(), {file("secret", "text").with_mode(0000)}));
  TemporaryRoot target;
  fs::Staging staging(target.tree());
  const PipeResult result =
      pipe(mirror(), target.tree(), staging, first_copy(mirror(), target.tree()).requests);
  EXPECT_THAT(result.failures, ElementsAre("secret: open: Permission denied"));
}

TEST_F(PermissionTest, SaysThatItMayNotGiveFilesAway) {
  ASSERT_TRUE(support::build(mirror(), {file("a", "text")}));
  fs::Staging staging(mirror());
  Applier applier(mirror(), staging, {{.owner = true}, Durable::no});
  Change change = change_to(Op::set_metadata, "a", mirror(), mirror());
  change.wanted.owner = {1, 1};
  EXPECT_EQ(apply(applier, change), "set owner: Operation not permitted");
}

}  // namespace
}  // namespace ssync::transfer
