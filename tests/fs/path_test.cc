#include "ssync/fs/path.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "ssync/fs/tree.h"

namespace ssync::fs {
namespace {

class PathTest : public testing::Test {
 protected:
  PathTest() {
    std::string pattern = testing::TempDir() + "ssync_path_XXXXXX";
    base_ = std::filesystem::canonical(::mkdtemp(pattern.data()));
    std::filesystem::create_directories(base_ / "real/sub");
  }
  ~PathTest() override { std::filesystem::remove_all(base_); }

  std::filesystem::path base_;
};

TEST_F(PathTest, TheWayIsThatOfTheKernel) {
  std::filesystem::create_directory_symlink("real/sub", base_ / "link");
  std::filesystem::create_directory_symlink(base_ / "link/..", base_ / "up");
  std::string last;
  std::size_t links = 0;
  const Result<std::string> walked =
      walk_path((base_ / "up/sub").string(), [&](const PathStep& step) -> Result<void> {
        last = step.path;
        if (!step.target.empty()) ++links;
        return {};
      });
  ASSERT_TRUE(walked) << walked.error().text();
  EXPECT_EQ(last, (base_ / "real/sub").string());
  EXPECT_EQ(*walked, last);
  EXPECT_EQ(links, 2U);
}

TEST_F(PathTest, ALoopEndsAndWhatIsMissingIsNoError) {
  std::filesystem::create_symlink("loop", base_ / "loop");
  EXPECT_FALSE(check_links((base_ / "loop").string()));
  EXPECT_TRUE(check_links((base_ / "missing/below").string()));
}

TEST_F(PathTest, OwnLinksAreFineAndForeignOnesAreRefusedByName) {
  const std::filesystem::path link = base_ / "link";
  std::filesystem::create_directory_symlink(base_ / "real", link);
  EXPECT_TRUE(check_links((link / "sub").string()));
  if (::geteuid() != 0) GTEST_SKIP() << "giving a link away needs root";
  ASSERT_EQ(::lchown(link.c_str(), 65534, 65534), 0);
  const Result<void> refused = check_links((link / "sub").string());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_NE(refused.error().text().find(link.string()), std::string::npos) << refused.error().text();
  EXPECT_NE(refused.error().text().find("user 65534"), std::string::npos) << refused.error().text();
}

TEST_F(PathTest, AForeignLinkIsRefusedAlsoWhereDotsLeadBackOut) {
  std::filesystem::create_directory_symlink(base_ / "real/sub", base_ / "link");
  std::filesystem::create_directory(base_ / "real/data");
  const std::string way = (base_ / "link/../data").string();
  const Result<Root> own = Root::open(way, Root::Lock::no);
  ASSERT_TRUE(own) << own.error().text();
  EXPECT_EQ(own->absolute_path(), (base_ / "real/data").string());
  const Result<Root> missing = Root::open((base_ / "missing/../data").string(), Root::Lock::no);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  if (::geteuid() != 0) GTEST_SKIP() << "giving a link away needs root";
  ASSERT_EQ(::lchown((base_ / "link").c_str(), 65534, 65534), 0);
  for (const char* const end : {"link/../data", "link/..", "link/../data/../../real"}) {
    const Result<Root> refused = Root::open((base_ / end).string(), Root::Lock::yes);
    ASSERT_FALSE(refused) << end;
    EXPECT_EQ(refused.error().code, Errc::refused) << refused.error().text();
  }
}

TEST_F(PathTest, ALinkThatAnybodyCouldReplaceIsRefused) {
  std::filesystem::create_directory_symlink(base_ / "real", base_ / "link");
  using std::filesystem::perms;
  std::filesystem::permissions(base_, perms::all);
  EXPECT_FALSE(check_links((base_ / "link").string()));
  EXPECT_TRUE(check_links((base_ / "real").string()));
  std::filesystem::permissions(base_, perms::all | perms::sticky_bit);
  EXPECT_TRUE(check_links((base_ / "link").string()));
}

TEST_F(PathTest, ARootIsLedElsewhereOnlyByALinkThatChanged) {
  std::filesystem::create_directory_symlink(base_ / "real", base_ / "link");
  const auto identity = [&] {
    return Root::open((base_ / "link").string(), Root::Lock::no)->identity().value();
  };
  const RootIdentity before = identity();
  EXPECT_NE(before.links, 0U);
  EXPECT_FALSE(is_led_elsewhere(before, identity()));
  std::filesystem::remove_all(base_ / "real");
  std::filesystem::create_directory(base_ / "real");
  EXPECT_FALSE(is_led_elsewhere(before, identity()));
  EXPECT_TRUE(on_same_file_system(before, identity()));
  std::filesystem::remove(base_ / "link");
  std::filesystem::create_directory(base_ / "other");
  std::filesystem::create_directory_symlink(base_ / "other", base_ / "link");
  EXPECT_TRUE(is_led_elsewhere(before, identity()));
}

}  // namespace
}  // namespace ssync::fs
