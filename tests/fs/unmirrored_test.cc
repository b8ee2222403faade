// Extended attributes by their names, on file systems that have them.
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "tree_suite.h"

namespace ssync::fs {
namespace {

class UnmirroredTest : public testing::Test {
 protected:
  UnmirroredTest() {
    root_.emplace(Root::open(directory_.path(), Root::Lock::no).value());
    top_ = root_->tree().open("").value();
    EXPECT_TRUE(support::build(
        root_->tree(), {support::file("f"), support::dir("d", support::file("x")), support::link("l", "f")}));
  }
  /// False: not on this file system, or not for this user.
  bool set(const std::string& path, const std::string& name, std::string_view value) const {
    if (::lsetxattr((directory_.path() + "/" + path).c_str(), name.c_str(), value.data(), value.size(), 0) ==
        0)
      return true;
    EXPECT_TRUE(errno == EOPNOTSUPP || errno == EPERM || errno == ENOSPC) << std::strerror(errno);
    return false;
  }
  unsigned of(std::string_view name) { return top_->unmirrored(name).value(); }

  TemporaryDirectory directory_{disk_parent()};
  std::optional<Root> root_;
  std::unique_ptr<Directory> top_;
};

TEST_F(UnmirroredTest, NothingIsNothing) {
  for (const std::string_view name : {"f", "d", "l", ""})
    EXPECT_EQ(of(name), 0U) << name;
  EXPECT_EQ(code(top_->unmirrored("absent")), Errc::not_found);
  EXPECT_FALSE(top_->unmirrored("d/x"));
}

TEST_F(UnmirroredTest, AttributesOfPeopleCount) {
  if (!set("f", "user.comment", "hello")) GTEST_SKIP() << "no user attributes here";
  ASSERT_TRUE(set("d", "user.comment", ""));
  ASSERT_TRUE(set("", "user.comment", "root"));
  EXPECT_EQ(of("f"), unsigned{kHasAttributes});
  EXPECT_EQ(of("d"), unsigned{kHasAttributes});
  EXPECT_EQ(of(""), unsigned{kHasAttributes});
  EXPECT_EQ(of("l"), 0U) << "a link's target is not the link";
}

TEST_F(UnmirroredTest, MoreNamesThanUsualAreRead) {
  for (int i = 0; i < 40; ++i) {
    if (!set("f", "user." + std::string(60, 'n') + std::to_string(i), ""))
      GTEST_SKIP() << "not so many attributes here";
  }
  EXPECT_EQ(of("f"), unsigned{kHasAttributes});
}

TEST_F(UnmirroredTest, ListsOfAccessAreTold) {
  // Version 2: owner rwx, user 7777 rw, group r, mask rw, others r. acl(5), linux/posix_acl_xattr.h.
  static constexpr std::array<unsigned char, 44> kList = {
      2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,   6,  0, 0x61, 0x1e, 0,   0,   4,   0,
      4, 0, 255, 255, 255, 255, 16, 0, 6,   0,   255, 255, 255, 255, 32, 0, 4,    0,    255, 255, 255, 255};
  const std::string_view list(reinterpret_cast<const char*>(kList.data()), kList.size());
  if (!set("f", "system.posix_acl_access", list)) GTEST_SKIP() << "no access lists here";
  ASSERT_TRUE(set("d", "system.posix_acl_default", list));
  EXPECT_EQ(of("f"), unsigned{kHasAttributes} | kHasAcl);
  EXPECT_EQ(of("d"), unsigned{kHasAttributes} | kHasAcl);
}

TEST_F(UnmirroredTest, CapabilitiesAreTold) {
  // VFS_CAP_REVISION_2 with cap_net_raw, effective. linux/capability.h.
  static constexpr std::array<unsigned char, 20> kCapability = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0,
                                                                0, 0, 0, 0, 0, 0,  0, 0, 0, 0};
  const std::string_view value(reinterpret_cast<const char*>(kCapability.data()), kCapability.size());
  if (!set("f", "security.capability", value)) GTEST_SKIP() << "needs root";
  EXPECT_EQ(of("f"), unsigned{kHasAttributes} | kHasCapability);
}

}  // namespace
}  // namespace ssync::fs
