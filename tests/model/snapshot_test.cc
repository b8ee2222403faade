#include "ssync/model/snapshot.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ssync {
namespace {

Values file(std::uint64_t size) {
  return {Kind::file, 0644, size, {1'700'000'000, 5}, {1000, 1000}};
}
const Values kDirectory{Kind::directory, 0755, 0, {1'700'000'000, 6}, {1000, 1000}};
const Values kLink{Kind::symlink, 0, 0, {1'700'000'000, 7}, {1000, 1000}};

// root; a (a.txt, l -> target); a/empty; b/c (deep)
Snapshot small_tree() {
  Snapshot tree;
  const auto directory = [&](const char* location) { EXPECT_TRUE(tree.begin_directory(location)); };
  const auto entry = [&](const char* name, const Values& values, const char* target = "") {
    EXPECT_TRUE(tree.add(name, values, target, 1, 100 + tree.size(), 0, 7));
  };
  directory("");
  entry("", kDirectory);
  entry("a", kDirectory);
  entry("b", kDirectory);
  directory("a");
  entry("a.txt", file(3));
  entry("empty", kDirectory);
  entry("l", kLink, "some/where");
  directory("a/empty");
  directory("b");
  entry("c", kDirectory);
  directory("b/c");
  entry("deep", file(9));
  directory("b/c/nothing");
  return tree;
}

std::vector<std::string> paths(const Snapshot& tree) {
  std::vector<std::string> all;
  for (EntryIndex entry = 0; entry < tree.size(); ++entry)
    all.push_back(join(tree.view(entry).path()));
  return all;
}

TEST(SnapshotTest, GivesBackEveryRowWithItsLocation) {
  const Snapshot tree = small_tree();
  const std::vector<std::string> expected = {"", "a", "b", "a/a.txt", "a/empty", "a/l", "b/c", "b/c/deep"};
  EXPECT_EQ(paths(tree), expected);
  EXPECT_EQ(tree.size(), 8U);
  EXPECT_EQ(tree.directories(), 6U);
}

TEST(SnapshotTest, GivesBackEveryValue) {
  const Snapshot tree = small_tree();
  const Snapshot::View link = tree.view(5);
  EXPECT_EQ(link.path(), (PathView{"a", "l"}));
  EXPECT_EQ(link.values, kLink);
  EXPECT_EQ(link.target, "some/where");
  EXPECT_EQ(link.inode, 105U);
  EXPECT_EQ(link.device, 1U);
  EXPECT_EQ(link.tag, 7U);
  EXPECT_EQ(tree.name(3), "a.txt");
  EXPECT_EQ(tree.file_size(3), 3U);
  EXPECT_EQ(tree.kind(4), Kind::directory);
  EXPECT_EQ(tree.view(3).target, "");
}

TEST(SnapshotTest, KnowsTheRowsOfADirectoryAndTheDirectoryOfARow) {
  const Snapshot tree = small_tree();
  EXPECT_EQ(tree.rows(0), (Snapshot::Range{0, 3}));
  EXPECT_EQ(tree.rows(1), (Snapshot::Range{3, 6}));
  EXPECT_EQ(tree.rows(2), (Snapshot::Range{6, 6}));
  EXPECT_EQ(tree.rows(5), (Snapshot::Range{8, 8}));
  EXPECT_EQ(tree.location(4), "b/c");
  EXPECT_EQ(tree.directory_of(0), 0U);
  EXPECT_EQ(tree.directory_of(6), 3U);
  EXPECT_EQ(tree.directory_of(7), 4U);
}

TEST(SnapshotTest, FindsWhatIsThere) {
  const Snapshot tree = small_tree();
  EXPECT_EQ(tree.find({"", ""}), 0U);
  EXPECT_EQ(tree.find({"b/c", "deep"}), 7U);
  EXPECT_EQ(tree.find({"b/c", "dee"}), std::nullopt);
  EXPECT_EQ(tree.find({"a/empty", "x"}), std::nullopt);
  EXPECT_EQ(tree.find({"c", "deep"}), std::nullopt);
  EXPECT_EQ(tree.find_directory("a/empty"), 2U);
  EXPECT_EQ(tree.find_directory("a/x"), std::nullopt);
  EXPECT_EQ(Snapshot().find({"", ""}), std::nullopt);
}

TEST(SnapshotTest, BeginningTheSameDirectoryAgainContinuesIt) {
  Snapshot tree;
  EXPECT_EQ(tree.begin_directory("a"), 0U);
  EXPECT_EQ(tree.add("x", file(1), "", 0, 0, 0), 0U);
  EXPECT_EQ(tree.begin_directory("a"), 0U);
  EXPECT_EQ(tree.add("y", file(1), "", 0, 0, 0), 1U);
  EXPECT_EQ(tree.rows(0), (Snapshot::Range{0, 2}));
}

template <typename T>
std::string refusal(const Result<T>& result) {
  return result ? "" : result.error().text();
}

TEST(SnapshotTest, RefusesRowsOutOfOrderAndStaysAsItWas) {
  Snapshot tree;
  EXPECT_EQ(refusal(tree.add("x", file(1), "", 0, 0, 0)), "an entry before any directory");
  ASSERT_TRUE(tree.begin_directory("a/b"));
  ASSERT_TRUE(tree.add("x", file(1), "", 0, 0, 0));
  EXPECT_EQ(refusal(tree.add("x", file(1), "", 0, 0, 0)),
            "row 'a/b/x' does not sort after 'x', the one before it");
  EXPECT_EQ(refusal(tree.add("w", file(1), "", 0, 0, 0)),
            "row 'a/b/w' does not sort after 'x', the one before it");
  EXPECT_EQ(refusal(tree.begin_directory("a")), "directory 'a' does not sort after 'a/b', the one before it");
  EXPECT_EQ(paths(tree), std::vector<std::string>{"a/b/x"});
  EXPECT_EQ(tree.directories(), 1U);
}

TEST(SnapshotTest, RefusesValuesThatItCannotHold) {
  Snapshot tree;
  ASSERT_TRUE(tree.begin_directory(""));
  const auto add = [&](const std::string& name, const Values& values, const std::string& target) {
    return refusal(tree.add(name, values, target, 0, 0, 0));
  };
  Values values = file(1);
  EXPECT_EQ(add("f", values, "t"), "a target, but no symlink");
  EXPECT_EQ(add("l", kLink, std::string(kPathBytesMax + 1, 't')), "target longer than 65536 bytes");
  EXPECT_NE(add(std::string(256, 'n'), values, ""), "");
  values.mtime.ns = 1'000'000'000;
  EXPECT_EQ(add("f", values, ""), "nanoseconds of a second or more");
  values = {.kind = static_cast<Kind>(6)};
  EXPECT_EQ(add("f", values, ""), "unknown kind 6");
  EXPECT_EQ(refusal(tree.begin_directory(std::string(kPathBytesMax + 1, 'd'))),
            "location longer than 65536 bytes");
  EXPECT_EQ(tree.size(), 0U);
}

TEST(SnapshotTest, HoldsTheWholeRangeOfValues) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kEdge = std::int64_t{1} << 39;
  constexpr std::uint64_t kSizeEdge = std::uint64_t{1} << 40;
  constexpr std::uint32_t kIdMax = ~std::uint32_t{0};
  std::vector<Values> all;
  for (const std::int64_t seconds :
       {kMin, -kEdge - 1, -kEdge, std::int64_t{-1}, std::int64_t{0}, kEdge - 1, kEdge, kMax}) {
    for (const std::uint64_t size : {std::uint64_t{0}, kSizeEdge - 1, kSizeEdge, ~std::uint64_t{0}}) {
      all.push_back({Kind::file, 07777, size, {seconds, 999'999'999}, {kIdMax, 0}});
      all.push_back({Kind::unreadable, 0, size, {seconds, 0}, {0, kIdMax}});
    }
  }
  Snapshot tree;
  ASSERT_TRUE(tree.begin_directory(""));
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(tree.add(std::string(i + 1, 'x'), all[i], "", ~i, ~i, 255, static_cast<std::uint32_t>(~i)));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Snapshot::View view = tree.view(static_cast<EntryIndex>(i));
    EXPECT_EQ(view.values, all[i]) << i;
    EXPECT_EQ(tree.file_size(static_cast<EntryIndex>(i)), all[i].size);
    EXPECT_EQ(std::pair(view.device, view.inode), std::pair(std::uint64_t{~i}, std::uint64_t{~i}));
  }
}

// Digits keep names in order.
std::string numbered(std::size_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - digits.size(), '0') + digits;
}

TEST(SnapshotTest, HoldsMoreOwnersThanARecordCanNumber) {
  constexpr std::uint32_t kOwners = 70'000;
  Snapshot tree;
  ASSERT_TRUE(tree.begin_directory(""));
  for (std::uint32_t i = 0; i < kOwners; ++i) {
    const Values values{.kind = Kind::directory, .owner = {i, i + 1}};
    ASSERT_TRUE(tree.add(numbered(i, 5), values, "", 1, 1, 0));
  }
  for (EntryIndex i = 0; i < kOwners; ++i)
    ASSERT_EQ(tree.view(i).values.owner, (Owner{i, i + 1}));
}

TEST(SnapshotTest, HoldsTheLongestTargetsAndLocations) {
  Snapshot tree;
  std::vector<std::string> targets;
  ASSERT_TRUE(tree.begin_directory(std::string(kPathBytesMax, 'd')));
  for (std::size_t i = 0; i < 40; ++i) {
    targets.emplace_back(kPathBytesMax - i % 2, static_cast<char>('A' + i));
    ASSERT_TRUE(tree.add(numbered(i, 255), kLink, targets.back(), 1, 1, 0));
  }
  ASSERT_TRUE(tree.add("x", kLink, "", 1, 1, 0));
  for (EntryIndex i = 0; i < 40; ++i) {
    ASSERT_EQ(tree.view(i).target, targets[i]);
    ASSERT_EQ(tree.name(i), numbered(i, 255));
  }
  EXPECT_EQ(tree.view(40).target, "");
  EXPECT_EQ(tree.location(0).size(), kPathBytesMax);
}

TEST(SnapshotTest, NamesFillChunksToTheLastByte) {
  Snapshot tree;
  // 4 bytes of location length and then 128 KiB less 4 of names end exactly at the first chunk's end.
  ASSERT_TRUE(tree.begin_directory(""));
  ASSERT_TRUE(tree.add("", kDirectory, "", 1, 1, 0));
  std::size_t room = 128 * 1024 - 4;
  std::vector<std::string> names = {""};
  while (room > 0) {
    names.push_back(numbered(names.size(), room > 510 ? 255 : std::min<std::size_t>(room, 255)));
    if (names.back() <= names[names.size() - 2]) names.back()[0] = '1';
    room -= names.back().size();
    ASSERT_TRUE(tree.add(names.back(), file(1), "", 1, 1, 0)) << names.size();
  }
  ASSERT_TRUE(tree.begin_directory("d"));
  ASSERT_TRUE(tree.add("", file(2), "", 1, 1, 0));
  ASSERT_TRUE(tree.add("n", file(2), "", 1, 1, 0));
  for (std::size_t i = 0; i < names.size(); ++i)
    ASSERT_EQ(tree.name(static_cast<EntryIndex>(i)), names[i]);
  EXPECT_EQ(tree.view(static_cast<EntryIndex>(names.size())).path(), (PathView{"d", ""}));
  EXPECT_EQ(tree.find({"d", "n"}), names.size() + 1);
}

TEST(SnapshotTest, FlagsAndTagsAreTheOwnersToSet) {
  Snapshot tree = small_tree();
  const Values before = tree.view(3).values;
  tree.set_flags(3, kFlagDoubt | kFlagD | kFlagE | kFlagF);
  tree.set_tag(3, 12345);
  EXPECT_EQ(tree.flags(3), kFlagDoubt | kFlagD | kFlagE | kFlagF);
  EXPECT_EQ(tree.tag(3), 12345U);
  EXPECT_EQ(tree.view(3).values, before);
}

TEST(SnapshotTest, ViewsStayWhereTheyAreWhenItGrowsAndMoves) {
  Snapshot tree;
  ASSERT_TRUE(tree.begin_directory("somewhere"));
  ASSERT_TRUE(tree.add("a", kLink, "target", 1, 1, 0));
  const Snapshot::View before = tree.view(0);
  for (std::size_t i = 0; i < 100'000; ++i)
    ASSERT_TRUE(tree.add("b" + numbered(i, 20), file(i), "", 1, 1, 0));
  const Snapshot moved = std::move(tree);
  const Snapshot::View after = moved.view(0);
  EXPECT_EQ(before.name.data(), after.name.data());
  EXPECT_EQ(before.location.data(), after.location.data());
  EXPECT_EQ(before.target, "target");
}

TEST(SnapshotTest, TakesAtMostSixtyBytesAnEntry) {
  constexpr std::size_t kEntries = 1'000'000;
  constexpr std::size_t kFilesPerDirectory = 16;
  Snapshot tree;
  for (std::size_t i = 0; i < kEntries; ++i) {
    if (i % kFilesPerDirectory == 0) {
      // Every directory's name is 16 bytes as well, and they lie two deep.
      const std::size_t directory = i / kFilesPerDirectory;
      ASSERT_TRUE(tree.begin_directory(numbered(directory / 250, 16) + "/" + numbered(directory, 16)));
    }
    ASSERT_TRUE(tree.add(numbered(i, 16), file(i), "", 1, 1'000'000 + i, 0));
  }
  const double per_entry = static_cast<double>(tree.memory_bytes()) / static_cast<double>(kEntries);
  RecordProperty("bytes_per_entry", std::to_string(per_entry));
  EXPECT_LE(per_entry, 60.0);
  EXPECT_GE(per_entry, 36.0 + 16.0);
}

TEST(SnapshotTest, TakesLittleForASmallTree) {
  EXPECT_LE(Snapshot().memory_bytes(), 1024U);
  EXPECT_LE(small_tree().memory_bytes(), 512U * 1024);
}

}  // namespace
}  // namespace ssync
