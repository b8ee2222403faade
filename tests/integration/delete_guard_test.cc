// The delete guards in continuous use: what people and their tools do every day on one side, accidents on the
// other.
#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class DeleteGuardTest : public ::testing::Test {
 protected:
  void put(const std::string& path, std::string_view content) const {
    stdfs::create_directories((bench_.source() / path).parent_path());
    write_file(bench_.source() / path, content);
  }
  void fill(const std::string& directory, int files, const std::string& text) const {
    for (int i = 0; i < files; ++i)
      put(directory + "/" + std::to_string(i) + ".txt", text + std::to_string(i));
  }
  void git(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {
        "git",       "-c", "user.name=somebody",    "-c", "user.email=somebody@example.org", "-c",
        "gc.auto=0", "-C", bench_.source().string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Finished done = run(command);
    ASSERT_EQ(done.code, 0) << done.err;
  }
  void expect_held(const std::string& figures) {
    const Finished held = bench_.sync();
    EXPECT_EQ(held.code, 25) << held.out;
    EXPECT_NE(held.err.find(figures), std::string::npos) << held.err;
    EXPECT_NE(held.err.find("--max-delete="), std::string::npos) << held.err;
  }
  Bench bench_;
};

TEST_F(DeleteGuardTest, APackedRepositoryIsNoAccident) {
  bench_.start_server();
  git({"init", "-q", "--initial-branch=main", "."});
  for (int commit = 0; commit < 4; ++commit) {
    fill("src", 200, "commit " + std::to_string(commit) + " line ");
    git({"add", "-A"});
    git({"commit", "-q", "-m", "commit"});
  }
  bench_.expect_sync();
  git({"gc", "-q", "--prune=now"});
  const Finished packed = bench_.sync();
  EXPECT_EQ(packed.code, 0) << packed.err;
  EXPECT_GT(packed.event("plan")["deletes"].get<int>(), 800);
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(DeleteGuardTest, ABuildWithOtherNamesIsNoAccident) {
  bench_.start_server();
  for (std::uint64_t i = 0; i < 200; ++i)
    put("dist/chunk." + std::to_string(i) + "a.js", random_bytes(i, 300));
  bench_.expect_sync();
  stdfs::remove_all(bench_.source() / "dist");
  for (std::uint64_t i = 0; i < 180; ++i)
    put("dist/chunk." + std::to_string(i) + "b.js", random_bytes(1000 + i, 310));
  bench_.expect_sync();
}

TEST_F(DeleteGuardTest, PackagesMayBeRemovedAsAWhole) {
  bench_.start_server();
  fill("node_modules/package", 300, "x");
  put("src/main.js", random_bytes(1, 20000));
  put("README.md", "a project\n");
  bench_.expect_sync();
  stdfs::remove_all(bench_.source() / "node_modules");
  bench_.expect_sync();
}

TEST_F(DeleteGuardTest, AnEmptyMountPointIsHeldUntilTheDiskIsBack) {
  bench_.start_server();
  fill("disk", 150, "on the disk ");
  fill("home", 150, "at home ");
  bench_.expect_sync();
  stdfs::rename(bench_.source() / "disk", bench_.path("away"));
  stdfs::create_directory(bench_.source() / "disk");
  expect_held("1 of its 2 top-level directories");
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "disk/0.txt"));
  stdfs::remove(bench_.source() / "disk");
  stdfs::rename(bench_.path("away"), bench_.source() / "disk");
  bench_.expect_sync();
}

TEST_F(DeleteGuardTest, MostOfTheTreeMovedAwayIsHeld) {
  bench_.start_server();
  for (const char* name : {"a", "b", "c"})
    fill(name, 60, name);
  fill("d", 20, "d");
  bench_.expect_sync();
  stdfs::create_directory(bench_.path("away"));
  for (const char* name : {"a", "b", "c"})
    stdfs::rename(bench_.source() / name, bench_.path("away") / name);
  expect_held("3 of its 4 top-level directories");
  bench_.expect_sync({"--max-delete=183"});
}

}  // namespace
}  // namespace ssync::integration
