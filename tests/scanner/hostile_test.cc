// File systems that answer what no entry can be: one bad entry costs one entry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ScannerHostileTest : public ScannerTest {
 protected:
  Scanned next(index::Role role = index::Role::source) {
    index::Index idx = open_index(role);
    return scan(tree_, idx, {.role = role});
  }
  /// Of "f", alone.
  void change_stat(std::function<void(fs::Stat&)> change) {
    tree_.set_answers(
        {.list = {},
         .stat =
             [change = std::move(change)](const std::string& path, std::optional<fs::Stat>& stat) {
               if (path == "f" && stat) change(*stat);
             },
         .read_link = {}});
  }
  void expect_only_f_is_lost(const Scanned& scanned, const std::string& why) {
    EXPECT_FALSE(scanned.error);
    EXPECT_EQ(scanned.rows.at("f").kind, Kind::unreadable);
    EXPECT_THAT(scanned.problems, ElementsAre(HasSubstr(why)));
    EXPECT_EQ(scanned.rows.at("d/x").kind, Kind::file);
  }

  FakeTree tree_{{dir("d", file("x")), file("f", "text"), link("l", "target")}};
};

TEST_F(ScannerHostileTest, ATimeWithTooManyNanosecondsCostsItsEntry) {
  change_stat([](fs::Stat& stat) { stat.seen.values.mtime.ns = 1'000'000'000; });
  expect_only_f_is_lost(next(), "f: its modification time has a second or more of nanoseconds");
  tree_.set_answers({});
  EXPECT_THAT(next().problems, IsEmpty());
}

// It will be set right.
TEST_F(ScannerHostileTest, OnAMirrorSuchATimeIsAnotherOne) {
  change_stat([](fs::Stat& stat) { stat.seen.values.mtime.ns = 4'000'000'000; });
  const Scanned scanned = next(index::Role::mirror);
  EXPECT_EQ(scanned.rows.at("f").kind, Kind::file);
  EXPECT_THAT(scanned.problems, IsEmpty());
}

TEST_F(ScannerHostileTest, ASizeThatNoFileHasCostsItsEntry) {
  change_stat([](fs::Stat& stat) { stat.seen.values.size = std::uint64_t{1} << 63U; });
  expect_only_f_is_lost(next(), "f: has a size of 2^63 or more");
}

TEST_F(ScannerHostileTest, ALinkToNothingCostsItself) {
  for (const std::string& target : {std::string(), std::string("a\0b", 3), std::string(65537, 'x')}) {
    tree_.set_answers(
        {.list = {}, .stat = {}, .read_link = [&](const std::string&, std::string& of) { of = target; }});
    const Scanned scanned = next();
    EXPECT_EQ(scanned.rows.at("l").kind, Kind::unreadable);
    EXPECT_EQ(scanned.rows.at("l").target, "");
    EXPECT_EQ(scanned.problems.size(), 1U);
    EXPECT_TRUE(scanned.rows.contains("d/x"));
  }
}

TEST_F(ScannerHostileTest, ARootWithAnImpossibleTimeIsToldAndListed) {
  tree_.set_answers({.list = {},
                     .stat =
                         [](const std::string& path, std::optional<fs::Stat>& stat) {
                           if (path.empty()) stat->seen.values.mtime.ns = 3'000'000'000;
                         },
                     .read_link = {}});
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.error);
  EXPECT_LT(scanned.self->values.mtime.ns, 1'000'000'000U);
  EXPECT_THAT(scanned.problems, ElementsAre(HasSubstr("has a second or more of nanoseconds")));
  EXPECT_TRUE(scanned.rows.contains("d/x"));
}

// NTFS has names of 255 UTF-16 units.
TEST_F(ScannerHostileTest, ANameOfMoreThan255BytesIsTold) {
  tree_.set_answers({.list =
                         [](const std::string& directory, std::vector<std::string>& names) {
                           if (directory == "d") names.emplace_back(765, 'n');
                         },
                     .stat = {},
                     .read_link = {}});
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.error);
  EXPECT_THAT(scanned.paths, ElementsAre("d", "f", "l", "d/x"));
  EXPECT_THAT(scanned.problems,
              ElementsAre("d/" + std::string(252, 'n') +
                          "...: its name is longer than 255 bytes: left out, give it another one"));
}

TEST_F(ScannerHostileTest, ANameThatIsListedTwiceIsOneEntry) {
  std::uint64_t size = 0;
  tree_.set_answers({.list =
                         [](const std::string&, std::vector<std::string>& names) {
                           const std::vector<std::string> again = names;
                           names.insert(names.end(), again.begin(), again.end());
                         },
                     .stat =
                         [&](const std::string& path, std::optional<fs::Stat>& stat) {
                           if (path == "f") stat->seen.values.size = ++size;
                         },
                     .read_link = {}});
  const Scanned scanned = next();
  EXPECT_THAT(scanned.paths, ElementsAre("d", "f", "l", "d/x"));
  EXPECT_THAT(scanned.problems, IsEmpty());
}

TEST_F(ScannerHostileTest, WhatIsTooLongWithItsDirectoryIsLeftOut) {
  const std::string part(255, 'p');
  std::string location;
  for (int i = 0; i < 256; ++i) {  // 65,535 bytes
    tree_.add(dir(part), location);
    location = join({location, part});
  }
  tree_.add(file("x"), location);
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.error);
  EXPECT_TRUE(scanned.rows.contains(location));
  ASSERT_EQ(scanned.problems.size(), 1U);
  EXPECT_THAT(scanned.problems[0], HasSubstr("is longer than 65536 bytes with its directory"));
}

TEST_F(ScannerHostileTest, WhatIsTooDeepIsLeftOut) {
  std::string location;
  for (std::size_t i = 0; i <= kDepthMax; ++i) {
    tree_.add(dir("p"), location);
    location = join({location, "p"});
  }
  tree_.add(file("x"), location);
  const Scanned scanned = next();
  EXPECT_FALSE(scanned.error);
  EXPECT_EQ(scanned.rows.at(location).kind, Kind::unreadable);
  EXPECT_EQ(scanned.rows.at(std::string(split(location).location)).kind, Kind::directory);
  EXPECT_THAT(scanned.problems, ElementsAre(HasSubstr("more than 4096 levels")));
  EXPECT_FALSE(scanned.rows.contains(location + "/x"));
}

}  // namespace
}  // namespace ssync::scanner::test
