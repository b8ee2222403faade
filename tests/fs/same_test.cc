// The table in same.h, field by field.
#include "ssync/fs/same.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ssync::fs {
namespace {

Seen look(Kind kind) {
  Seen seen;
  seen.values = {.kind = kind, .mode = 0644, .size = 7, .mtime = {100, 5}, .owner = {1, 2}};
  seen.ctime = {200, 6};
  seen.device = 3;
  seen.inode = 4;
  return seen;
}

struct Field {
  std::string name;
  std::function<void(Seen&)> change;
};

const std::vector<Field>& fields() {
  static const std::vector<Field> all{
      {"kind", [](Seen& s) { s.values.kind = Kind::symlink; }},
      {"device", [](Seen& s) { ++s.device; }},
      {"inode", [](Seen& s) { ++s.inode; }},
      {"size", [](Seen& s) { ++s.values.size; }},
      {"mtime", [](Seen& s) { ++s.values.mtime.ns; }},
      {"ctime", [](Seen& s) { ++s.ctime.ns; }},
      {"mode", [](Seen& s) { s.values.mode = 0600; }},
      {"owner", [](Seen& s) { ++s.values.owner.gid; }},
      {"links", [](Seen& s) { ++s.links; }},
  };
  return all;
}

/// The fields that make a difference, in the order above.
std::string compared(Kind kind, const std::function<bool(const Seen&, const Seen&)>& same) {
  const Seen before = look(kind);
  EXPECT_TRUE(same(before, before));
  std::string found;
  for (const Field& field : fields()) {
    Seen now = before;
    field.change(now);
    if (!same(before, now)) found += (found.empty() ? "" : " ") + field.name;
  }
  return found;
}

auto entry(StableInodes stable) {
  return [stable](const Seen& a, const Seen& b) { return same_entry(a, b, stable); };
}
auto content(StableInodes stable) {
  return [stable](const Seen& a, const Seen& b) { return same_content(a, b, stable); };
}
auto stat(bool inodes, bool ctime) {
  return [=](const Seen& a, const Seen& b) { return same_stat(a, b, {.inodes = inodes, .ctime = ctime}); };
}

TEST(SameTest, ComparesWhatTheTableSays) {
  constexpr auto kYes = StableInodes::yes;
  constexpr auto kNo = StableInodes::no;
  EXPECT_EQ(compared(Kind::file, same_inode), "device inode");
  EXPECT_EQ(compared(Kind::file, entry(kYes)), "kind device inode");
  EXPECT_EQ(compared(Kind::file, entry(kNo)), "kind size mtime");
  EXPECT_EQ(compared(Kind::directory, entry(kYes)), "kind device inode");
  EXPECT_EQ(compared(Kind::directory, entry(kNo)), "kind");
  EXPECT_EQ(compared(Kind::file, content(kYes)), "kind device inode size mtime");
  EXPECT_EQ(compared(Kind::file, content(kNo)), "kind size mtime");
  EXPECT_EQ(compared(Kind::directory, content(kYes)), "kind device inode");
  EXPECT_EQ(compared(Kind::directory, content(kNo)), "kind");
  EXPECT_EQ(compared(Kind::file, unchanged), "size mtime ctime");
  EXPECT_EQ(compared(Kind::file, stat(true, true)), "kind inode size mtime ctime mode owner");
  EXPECT_EQ(compared(Kind::file, stat(false, true)), "kind size mtime ctime mode owner");
  EXPECT_EQ(compared(Kind::file, stat(true, false)), "kind inode size mtime mode owner");
}

TEST(SameTest, AnImpossibleTimeIsTheNearestPossibleOne) {
  Seen broken = look(Kind::file);
  broken.values.mtime.ns = 2'000'000'000;
  Seen scanned = broken;
  scanned.values.mtime.ns = 999'999'999;
  EXPECT_TRUE(same_content(scanned, broken, StableInodes::yes));
  EXPECT_TRUE(same_entry(scanned, broken, StableInodes::no));
  EXPECT_TRUE(unchanged(scanned, broken));
  EXPECT_FALSE(same_stat(scanned, broken, {}));
}

}  // namespace
}  // namespace ssync::fs
