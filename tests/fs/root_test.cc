#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/fs/tree.h"

#include "in_child.h"
#include "temporary_root.h"

namespace ssync::fs {
namespace {

namespace stdfs = std::filesystem;

class RootTest : public testing::Test {
 protected:
  void SetUp() override {
    stdfs::create_directory(base_ / "dir");
    stdfs::create_directory_symlink("dir", base_ / "link");
    std::ofstream(base_ / "file") << "x";
    old_ = stdfs::current_path();
  }
  void TearDown() override { stdfs::current_path(old_); }

  static std::string error(const std::string& path) {
    return Root::open(path, Root::Lock::no).error().text();
  }
  static std::string absolute(const std::string& path) {
    return Root::open(path, Root::Lock::no)->absolute_path();
  }

  TemporaryDirectory base_{disk_parent()};
  stdfs::path old_;
};

TEST_F(RootTest, SaysForPeopleWhyItCannotBeOpened) {
  EXPECT_EQ(error("/no/such"), "opening /no/such: No such file or directory");
  EXPECT_EQ(error(base_ / "file"), "opening " + base_ / "file" + ": Not a directory");
  EXPECT_EQ(error("/no/caf\xe9"), "opening /no/caf\\#351: No such file or directory");
  EXPECT_EQ(Root::open("", Root::Lock::no).error().code, Errc::invalid_argument);
  EXPECT_EQ(Root::open(base_ / "file", Root::Lock::no).error().code, Errc::not_directory);
}

TEST_F(RootTest, DeniesWhatThisUserMayNotRead) {
  stdfs::permissions(base_ / "dir", stdfs::perms::none);
  stdfs::permissions(base_.path(), stdfs::perms::all);
  if (!nobody_reaches(base_.path())) GTEST_SKIP() << "the build folder is closed to other users";
  EXPECT_EQ(as_nobody([&] { return error(base_ / "dir"); }),
            "opening " + base_ / "dir" + ": Permission denied");
}

TEST_F(RootTest, AllSpellingsOfAPathAreOneAbsolutePath) {
  const std::string wanted = base_ / "dir";
  stdfs::current_path(base_.path());
  for (const std::string& path : {wanted, wanted + "/", wanted + "//.", base_ / "./dir", base_ / "dir/../dir",
                                  std::string("dir"), std::string("./dir/"), std::string("dir/../dir")}) {
    EXPECT_EQ(absolute(path), wanted) << path;
  }
  stdfs::current_path(wanted);
  EXPECT_EQ(absolute("."), wanted);
  EXPECT_EQ(absolute("./"), wanted);
  EXPECT_EQ(absolute(".."), base_.path());
  EXPECT_EQ(absolute("/"), "/");
  EXPECT_EQ(absolute("/.."), "/");
}

TEST_F(RootTest, TheLastLinkStaysInThePath) {
  const Root root = Root::open(base_ / "link/", Root::Lock::no).value();
  EXPECT_EQ(root.absolute_path(), base_ / "link");
  EXPECT_TRUE(root.named_by_link());
  EXPECT_FALSE(Root::open(base_ / "dir", Root::Lock::no)->named_by_link());
}

TEST_F(RootTest, IsLockedForEverybodyElse) {
  {
    const auto first = Root::open(base_ / "dir", Root::Lock::yes);
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_TRUE(first->locked());
    const auto second = Root::open(base_ / "link", Root::Lock::yes);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
    EXPECT_EQ(second.error().text(), "locking " + base_ / "link" + ": in use by another server");
    EXPECT_FALSE(Root::open(base_ / "dir", Root::Lock::no)->locked());
  }
  EXPECT_TRUE(Root::open(base_ / "dir", Root::Lock::yes));
}

TEST_F(RootTest, NoticesThatItsPathLeadsElsewhere) {
  const Root root = Root::open(base_ / "link", Root::Lock::no).value();
  EXPECT_TRUE(root.still_at_path());
  stdfs::remove(base_ / "link");
  EXPECT_FALSE(root.still_at_path());
  stdfs::create_directory(base_ / "other");
  stdfs::create_directory_symlink("other", base_ / "link");
  EXPECT_FALSE(root.still_at_path());
}

TEST_F(RootTest, IdentityStaysAndIsItsOwn) {
  stdfs::create_directory(base_ / "other");
  const RootIdentity one = Root::open(base_ / "dir", Root::Lock::no)->identity().value();
  EXPECT_EQ(Root::open(base_ / "dir", Root::Lock::no)->identity().value(), one);
  EXPECT_NE(Root::open(base_ / "other", Root::Lock::no)->identity().value(), one);
  RootIdentity by_link = Root::open(base_ / "link", Root::Lock::no)->identity().value();
  EXPECT_TRUE(is_led_elsewhere(one, by_link));
  EXPECT_TRUE(on_same_file_system(one, by_link));
  by_link.links = one.links;
  EXPECT_EQ(by_link, one) << "but for the link it is the same directory";
}

TEST_F(RootTest, AncestryLeadsUpToTheRootOfAll) {
  const auto ids = Root::open(base_ / "dir", Root::Lock::no)->ancestry().value();
  const auto above = Root::open(base_.path(), Root::Lock::no)->ancestry().value();
  const auto top = Root::open("/", Root::Lock::no)->ancestry().value();
  ASSERT_EQ(ids.size(), above.size() + 1);
  EXPECT_TRUE(std::equal(above.begin(), above.end(), ids.begin() + 1));
  EXPECT_EQ(top.size(), 1U);
  EXPECT_EQ(ids.back(), top.front());
}

TEST_F(RootTest, MovesWithItsTree) {
  Root root = Root::open(base_ / "dir", Root::Lock::no).value();
  Tree* const tree = &root.tree();
  Root moved = std::move(root);
  EXPECT_EQ(&moved.tree(), tree);
  EXPECT_TRUE(moved.tree().open(""));
}

TEST_F(RootTest, WorksWithNamesThatAreNotUtf8) {
  const std::string name = "dir\xff\xfe";
  stdfs::create_directory(base_ / name);
  Root root = Root::open(base_ / name, Root::Lock::no).value();
  EXPECT_EQ(root.absolute_path(), base_ / name);
  EXPECT_TRUE(root.still_at_path());
}

TEST_F(RootTest, KnowsWhatItIsOn) {
  EXPECT_EQ(Root::open("/proc", Root::Lock::no)->tree().volume()->type_name, "0x9FA0");
  if (memory_parent().empty()) GTEST_SKIP() << "no tmpfs at /dev/shm";
  const Volume memory = Root::open(memory_parent(), Root::Lock::no)->tree().volume().value();
  EXPECT_EQ(memory.type_name, "tmpfs");
  EXPECT_EQ(memory.id, 0U);
  EXPECT_TRUE(memory.stable_inodes && memory.stable_ctime && memory.names_move_ctime);
}

}  // namespace
}  // namespace ssync::fs
