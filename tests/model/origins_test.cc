#include "ssync/model/origins.h"

#include <gtest/gtest.h>

namespace ssync {
namespace {

Origin origin(std::string_view location, std::string_view name, std::uint8_t content, bool proven) {
  Origin made{location, name, {}, proven};
  made.checksum[0] = std::byte{content};
  return made;
}

bool same(const std::optional<Origin>& a, const Origin& b) {
  return a && a->location == b.location && a->name == b.name && a->checksum == b.checksum &&
         a->proven == b.proven;
}

TEST(OriginsTest, FindsWhatWasPutAndNothingElse) {
  Origins origins;
  std::string here = "a/b";
  origins.put(3, origin(here, "one", 1, true));
  origins.put(4, origin(here, "two", 2, false));
  origins.put(9, origin("c", "three", 3, true));
  here = "x/y";  // copies are kept
  EXPECT_TRUE(same(origins.find(3), origin("a/b", "one", 1, true)));
  EXPECT_TRUE(same(origins.find(4), origin("a/b", "two", 2, false)));
  EXPECT_TRUE(same(origins.find(9), origin("c", "three", 3, true)));
  for (const EntryIndex entry : {0U, 5U, 10U})
    EXPECT_FALSE(origins.find(entry)) << entry;
}

TEST(OriginsTest, KeepsNoNameThatCannotBeOne) {
  Origins origins;
  origins.put(1, origin("", std::string(255, 'a'), 1, true));
  origins.put(2, origin("", std::string(256, 'a'), 1, true));
  EXPECT_TRUE(origins.find(1));
  EXPECT_FALSE(origins.find(2));
}

TEST(OriginsTest, ClearForgetsAll) {
  Origins origins;
  origins.put(5, origin("", "a", 1, true));
  origins.clear();
  EXPECT_FALSE(origins.find(5));
  origins.put(1, origin("", "b", 2, true));
  EXPECT_EQ(origins.find(1)->name, "b");
}

}  // namespace
}  // namespace ssync
