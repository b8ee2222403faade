#include "ssync/model/root_identity.h"

#include <gtest/gtest.h>

namespace ssync {
namespace {

TEST(RootIdentityTest, WithoutALastingNameTheDepthBelowTheMountTells) {
  const RootIdentity before{.type = 1, .inode = 5, .links = 0, .levels = 1};
  EXPECT_TRUE(on_same_file_system(before, {.type = 1, .inode = 9, .levels = 1}));
  EXPECT_FALSE(on_same_file_system(before, {.type = 1, .inode = 9, .levels = 3}));
  EXPECT_FALSE(on_same_file_system(before, {.type = 2, .inode = 5, .levels = 1}));
  // From before the depth was kept: only the very same directory.
  EXPECT_FALSE(on_same_file_system({.type = 1, .inode = 5}, {.type = 1, .inode = 9, .levels = 1}));
  EXPECT_TRUE(on_same_file_system({.type = 1, .inode = 5}, {.type = 1, .inode = 5, .levels = 1}));
  EXPECT_FALSE(is_led_elsewhere({.type = 1, .inode = 5}, {.type = 1, .links = 7, .levels = 1}));
}

}  // namespace
}  // namespace ssync
