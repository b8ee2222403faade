#include "ssync/base/random.h"

#include <gtest/gtest.h>

#include "ssync/base/text.h"

namespace ssync {
namespace {

TEST(RandomTest, HasTwoHexadecimalDigitsPerByte) {
  EXPECT_EQ(random_hex(0), "");
  const std::string text = random_hex(16);
  EXPECT_EQ(text.size(), 32U);
  EXPECT_TRUE(from_hex(text).has_value());
}

TEST(RandomTest, DoesNotRepeat) {
  EXPECT_NE(random_hex(16), random_hex(16));
}

TEST(RandomTest, FillsMoreThanOneSystemCallGives) {
  EXPECT_EQ(random_hex(100'000).size(), 200'000U);
}

}  // namespace
}  // namespace ssync
