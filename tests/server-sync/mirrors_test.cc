#include "mirrors.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "ssync/support/surroundings.h"

namespace ssync::server_program {
namespace {

class CheckMirrorsTest : public ::testing::Test {
 protected:
  /// Two mirrors, a and b, there.
  std::string said_of(const std::string& a, const std::string& b) {
    MirrorOptions first;
    first.name = "a";
    first.path = a;
    MirrorOptions second;
    second.name = "b";
    second.path = b;
    const Result<void> checked = check_mirrors({first, second});
    return checked ? "" : checked.error().text();
  }

  support::Surroundings around_;
};

TEST_F(CheckMirrorsTest, NeighboursAreFine) {
  around_.make_directory("m");
  EXPECT_EQ(said_of(around_.path("m"), around_.path("m2")), "");
  EXPECT_EQ(said_of("/does/not/exist/a", "/does/not/exist/ab"), "");
}

TEST_F(CheckMirrorsTest, OneDirectoryUnderTwoNamesIsFound) {
  const std::string m = around_.make_directory("m");
  std::filesystem::create_directory_symlink(m, around_.path("link"));
  EXPECT_EQ(said_of(m, m), "mirror 'a' (" + m + ") and mirror 'b' (" + m + ") are one directory");
  const std::string link = around_.path("link");
  EXPECT_EQ(said_of(m, link),
            "mirror 'a' (" + m + ") and mirror 'b' (" + link + ", which is " + m + ") are one directory");
  EXPECT_NE(said_of(m, m + "/"), "");
  EXPECT_NE(said_of(m, m + "/../m"), "");
}

TEST_F(CheckMirrorsTest, OneInsideTheOtherIsFoundEitherWay) {
  const std::string m = around_.make_directory("m");
  const std::string inner = around_.make_directory("m/in/ner");
  std::filesystem::create_directory_symlink(inner, around_.path("link"));
  EXPECT_EQ(said_of(m, inner),
            "mirror 'b' (" + inner + ") is inside mirror 'a' (" + m + "), whose syncs would delete it");
  EXPECT_EQ(said_of(inner, m),
            "mirror 'a' (" + inner + ") is inside mirror 'b' (" + m + "), whose syncs would delete it");
  EXPECT_NE(said_of(m, around_.path("link")), "");
  EXPECT_NE(said_of(m, around_.path("link/not/there")), "");
  EXPECT_NE(said_of("/", m), "");
  EXPECT_NE(said_of("/does/not/exist", "/does/not/exist/a"), "");
}

TEST_F(CheckMirrorsTest, ARelativePathIsFromTheWorkingDirectory) {
  EXPECT_NE(said_of("not-there", (std::filesystem::current_path() / "not-there" / "x").string()), "");
}

TEST_F(CheckMirrorsTest, ALoopOfLinksIsNoMirrorOfAnother) {
  std::filesystem::create_symlink(around_.path("loop"), around_.path("loop"));
  EXPECT_EQ(said_of(around_.path("loop"), around_.make_directory("m")), "");
}

}  // namespace
}  // namespace ssync::server_program
