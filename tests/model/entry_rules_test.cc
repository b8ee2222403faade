#include "ssync/model/entry_rules.h"

#include <string>

#include <gtest/gtest.h>

namespace ssync {
namespace {

std::string rule_of(const Values& values, std::string_view target = {}) {
  const char* const rule = broken_values_rule(values, target);
  return rule == nullptr ? "" : rule;
}
std::string rule_of(PathView path) {
  const char* const rule = broken_path_rule(path);
  return rule == nullptr ? "" : rule;
}

TEST(EntryRulesTest, WhatFileSystemsHaveIsFine) {
  EXPECT_EQ(rule_of({Kind::file, 07777, kSizeMax, {-1, kTimeNsMax}, {~0U, ~0U}}), "");
  EXPECT_EQ(rule_of({Kind::directory, 0, 0, {INT64_MIN, 0}, {}}), "");
  EXPECT_EQ(rule_of({Kind::symlink, 0, 0, {INT64_MAX, 0}, {}}, "a"), "");
  EXPECT_EQ(rule_of({Kind::symlink, 0, 0, {}, {}}, std::string(kTargetBytesMax, 'x')), "");
  EXPECT_EQ(rule_of({Kind::special, 0600, 0x8012, {}, {}}), "");
  EXPECT_EQ(rule_of({.kind = Kind::unreadable}), "");
}

TEST(EntryRulesTest, EachRuleHasItsWords) {
  EXPECT_EQ(rule_of({.kind = static_cast<Kind>(0)}), "has an unknown kind");
  EXPECT_EQ(rule_of({.kind = static_cast<Kind>(6)}), "has an unknown kind");
  EXPECT_EQ(rule_of({.mode = 010000}), "has a mode of more than 12 bits");
  EXPECT_EQ(rule_of({.mtime = {0, 1'000'000'000}}), "has a second or more of nanoseconds");
  EXPECT_EQ(rule_of({.size = kSizeMax + 1}), "has a size of 2^63 or more");
  EXPECT_EQ(rule_of({.kind = Kind::directory, .size = 1}), "has a size and is no file");
  EXPECT_EQ(rule_of({.kind = Kind::symlink, .mode = 1}, "t"), "is a link with a mode");
  EXPECT_EQ(rule_of({.kind = Kind::symlink}), "is a link without a target");
  EXPECT_EQ(rule_of({}, "t"), "has a target and is no link");
  EXPECT_EQ(rule_of({.kind = Kind::symlink}, std::string(kTargetBytesMax + 1, 'x')),
            "has a target of more than 65536 bytes");
  EXPECT_EQ(rule_of({.kind = Kind::symlink}, std::string_view("a\0b", 3)), "has a NUL byte in its target");
}

TEST(EntryRulesTest, PathsHaveNamesAndALength) {
  const std::string longest(kPathBytesMax - 2, 'l');
  EXPECT_EQ(rule_of(PathView{longest, "n"}), "");
  EXPECT_EQ(rule_of(PathView{longest, "nn"}), "is longer than 65536 bytes with its directory");
  EXPECT_EQ(rule_of(PathView{"", std::string(256, 'n')}), "is longer than 255 bytes");
  EXPECT_EQ(rule_of(PathView{"", ".."}), "is '..'");
}

TEST(EntryRulesTest, ALocationHas4096ComponentsAtMost) {
  EXPECT_TRUE(may_have_entries(kDepthMax - 1));
  EXPECT_FALSE(may_have_entries(kDepthMax));
}

}  // namespace
}  // namespace ssync
