#include <cerrno>

#include "tree_suite.h"

namespace ssync::fs {
namespace {

using support::dir;
using support::file;
using support::link;

class MetadataTest : public TreeSuite {
 protected:
  Values values(std::string_view name) { return top()->stat(name)->seen.values; }
};
INSTANTIATE_TEST_SUITE_P(Trees, MetadataTest, testing::Values(On::disk, On::memory, On::fake), param_name);

TEST_P(MetadataTest, SetsAllTwelveModeBits) {
  build({file("f"), dir("d")});
  for (const std::uint16_t mode : std::vector<std::uint16_t>{07777, 0, 04711, 01000, 0444}) {
    ASSERT_TRUE(top()->set_mode("f", mode));
    ASSERT_TRUE(top()->set_mode("d", mode));
    EXPECT_EQ(values("f").mode, mode);
    EXPECT_EQ(values("d").mode, mode);
  }
}

TEST_P(MetadataTest, ModeOfALinkIsLeftAloneAndSoIsItsTarget) {
  build({file("f").with_mode(0640), link("l", "f"), link("dangling", "x")});
  EXPECT_TRUE(top()->set_mode("l", 0777));
  EXPECT_TRUE(top()->set_mode("dangling", 0777));
  EXPECT_EQ(values("f").mode, 0640);
}

TEST_P(MetadataTest, SetsTimesToTheNanosecondAlsoOfDirectoriesAndLinks) {
  build({file("f"), dir("d"), link("l", "f")});
  for (const std::string_view name : {"f", "d", "l"}) {
    for (const FileTime time :
         {FileTime{1'234'567'890, 123'456'789}, FileTime{0, 0}, FileTime{-1, 999'999'999}}) {
      ASSERT_TRUE(top()->set_mtime(name, time));
      EXPECT_EQ(values(name).mtime, time) << name;
    }
  }
}

TEST_P(MetadataTest, SetsWhatBelongsToTheDirectoryItself) {
  build({dir("d")});
  auto d = open("d");
  ASSERT_TRUE(d->set_mode("", 02710));
  ASSERT_TRUE(d->set_owner("", {::geteuid(), ::getegid()}));
  ASSERT_TRUE(d->set_mtime("", {5, 6}));
  EXPECT_EQ(values("d"), (Values{Kind::directory, 02710, 0, {5, 6}, {::geteuid(), ::getegid()}}));
}

TEST_P(MetadataTest, NoTimeMeansNow) {
  build({file("f")});
  auto made = top()->create_file("g", 0600).value();
  for (const std::uint32_t ns : {0x3fffffffU, 0x3ffffffeU, 1'000'000'000U}) {
    EXPECT_EQ(code(top()->set_mtime("f", {1, ns})), Errc::invalid_argument);
    EXPECT_EQ(code(made->set_mtime({1, ns})), Errc::invalid_argument);
  }
  EXPECT_EQ(values("f").mtime, support::kBuiltMtime);
}

TEST_P(MetadataTest, NoOwnerMeansUnchanged) {
  build({file("f")});
  EXPECT_EQ(code(top()->set_owner("f", {~0U, 0})), Errc::invalid_argument);
  EXPECT_EQ(code(top()->set_owner("f", {0, ~0U})), Errc::invalid_argument);
}

TEST_P(MetadataTest, SetsOwnersOfEntriesAndLinksNotOfTargets) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
  build({file("f"), dir("d"), link("l", "f")});
  ASSERT_TRUE(top()->set_owner("l", {11, 12}));
  ASSERT_TRUE(top()->set_owner("d", {13, 14}));
  EXPECT_EQ(values("l").owner, (Owner{11, 12}));
  EXPECT_EQ(values("d").owner, (Owner{13, 14}));
  EXPECT_EQ(values("f").owner, (Owner{0, 0}));
}

TEST_P(MetadataTest, ANewOwnerTakesSetuidAway) {
  build({file("f").with_mode(06755)});
  ASSERT_TRUE(top()->set_owner("f", {::geteuid(), ::getegid()}));
  EXPECT_EQ(values("f").mode, 0755);
}

TEST_P(MetadataTest, OfWhatIsNotThereIsNotFound) {
  EXPECT_EQ(code(top()->set_mode("x", 0600)), Errc::not_found);
  EXPECT_EQ(code(top()->set_owner("x", {0, 0})), Errc::not_found);
  EXPECT_EQ(code(top()->set_mtime("x", {0, 0})), Errc::not_found);
  EXPECT_EQ(code(top()->set_mode("..", 0600)), Errc::invalid_argument);
}

}  // namespace
}  // namespace ssync::fs
