// A mount that is gone, and what must not be taken for one.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ScannerLostMountTest : public ScannerTest {
 protected:
  Scanned next(Options options = {}) {
    index::Index idx = open_index();
    return scan(tree_, idx, std::move(options));
  }
  void mount(const std::string& path) { tree_.mount(path, fs::Volume{.type = 0xef53, .type_name = "ext4"}); }

  FakeTree tree_{{dir("disk", file("x")), dir("photos", file("p")), file("f", "text")}};
};

TEST_F(ScannerLostMountTest, AMountThatIsGoneIsLeftAloneUntilItIsThereOrAccepted) {
  mount("disk");
  next();
  tree_.unmount("disk");
  for (int i = 0; i < 2; ++i) {
    const Scanned scanned = next();
    EXPECT_EQ(scanned.rows.at("disk").kind, Kind::unreadable);
    ASSERT_EQ(scanned.problems.size(), 1U);
    EXPECT_THAT(scanned.problems[0], HasSubstr("--accept-root"));
  }
  mount("disk");
  EXPECT_THAT(next().problems, IsEmpty());
  tree_.unmount("disk");
  EXPECT_EQ(next({.accept_missing_mounts = true}).rows.at("disk").kind, Kind::directory);
  EXPECT_THAT(next().problems, IsEmpty());
}

TEST_F(ScannerLostMountTest, SoItIsWhenDeviceNumbersChange) {
  mount("disk");
  next();
  tree_.unmount("disk");
  for (int i = 0; i < 2; ++i) {
    tree_.reboot();
    EXPECT_EQ(next().rows.at("disk").kind, Kind::unreadable);
  }
}

// Its record is of the boot before, the one of the directory above it is not.
TEST_F(ScannerLostMountTest, ADirectoryThatWasUnreadableAtABootIsNone) {
  next();
  tree_.reboot();
  tree_.fail_at(FakeOp::open, "photos", EACCES);
  EXPECT_THAT(next().problems, ElementsAre("photos: reading the directory: Permission denied (subtree)"));
  tree_.clear_failures();
  EXPECT_THAT(next().problems, IsEmpty());
}

TEST_F(ScannerLostMountTest, AMountThatWasUnreadableAtABootIsStillMissed) {
  mount("disk");
  next();
  tree_.reboot();
  tree_.fail_at(FakeOp::stat, "disk", EIO);
  next();
  tree_.clear_failures();
  tree_.unmount("disk");
  EXPECT_THAT(next().problems, ElementsAre(HasSubstr("a file system was mounted here")));
}

}  // namespace
}  // namespace ssync::scanner::test
