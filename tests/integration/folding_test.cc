// Mirrors that do not tell upper from lower case: names that change only their case change it there too.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"
#include "image.h"

namespace ssync::integration {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names_in(const stdfs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : stdfs::directory_iterator(directory))
    if (entry.path().filename() !=
        ".server-sync.state")  // a file system that may be shared: the server's lock
      names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

class FoldingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!image_.ok()) GTEST_SKIP() << image_.why();
    bench_.start_server();
  }
  void TearDown() override { bench_.stop_server(); }
  [[nodiscard]] stdfs::path source(std::string_view path) const { return bench_.source() / path; }
  [[nodiscard]] stdfs::path mirror(std::string_view path) const { return bench_.mirror() / path; }
  void move(std::string_view from, std::string_view to) { stdfs::rename(source(from), source(to)); }

  /// The event sync_done of a sync that must end well, and leave nothing to do.
  nlohmann::json sync() {
    const Finished finished = bench_.sync();
    EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
    const nlohmann::json idle = bench_.sync().event("sync_done");
    for (const char* count :
         {"transferred_files", "created", "copied", "renamed", "deleted", "metadata", "problems"})
      EXPECT_EQ(idle.value(count, 1), 0) << count;
    return finished.event("sync_done");
  }

  Bench bench_;
  Image image_{bench_.path("image"), 64 << 20, {"mkfs.exfat"}, bench_.mirror(), "exfat-fuse"};
};

TEST_F(FoldingTest, AFileThatChangesItsCaseIsRenamed) {
  write_file(source("README.txt"), "read me");
  write_file(source("\xc3\xa4rger"), "beyond ASCII");
  write_file(source("other"), "other");
  sync();
  move("README.txt", "Readme.TXT");
  move("\xc3\xa4rger", "\xc3\x84rger");
  const nlohmann::json done = sync();
  EXPECT_EQ(done.value("transferred_files", 1), 0);
  EXPECT_EQ(done.value("deleted", 1), 0);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("Readme.TXT", "other", "\xc3\x84rger"));
  EXPECT_EQ(read_file(mirror("Readme.TXT")), "read me");
}

TEST_F(FoldingTest, AFileThatChangesItsCaseAndItsContentHasBoth) {
  write_file(source("notes"), "old");
  write_file(source("empty"), "will be empty");
  sync();
  move("notes", "Notes");
  move("empty", "Empty");
  write_file(source("Notes"), "new and longer");
  write_file(source("Empty"), "");
  EXPECT_EQ(sync().value("deleted", 1), 0);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("Empty", "Notes"));
  EXPECT_EQ(read_file(mirror("Notes")), "new and longer");
  EXPECT_EQ(read_file(mirror("Empty")), "");
}

TEST_F(FoldingTest, NamesThatSwapInOtherLetters) {
  write_file(source("a"), "content of a");
  write_file(source("b"), "content of b");
  sync();
  move("a", "x");
  move("b", "A");
  move("x", "B");
  EXPECT_EQ(sync().value("transferred_files", 1), 0);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("A", "B"));
  EXPECT_EQ(read_file(mirror("A")), "content of b");
  EXPECT_EQ(read_file(mirror("B")), "content of a");
}

TEST_F(FoldingTest, ADirectoryThatChangesItsCaseTakesAllAlong) {
  for (const char* name : {"photos/one", "photos/two", "photos/deep/three", "photos/deep/four"}) {
    stdfs::create_directories(source(name).parent_path());
    write_file(source(name), name);
  }
  sync();
  move("photos", "Photos");
  EXPECT_EQ(sync().value("renamed", 0), 1);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("Photos"));
  move("Photos", "PHOTOS");
  write_file(source("PHOTOS/two"), "edited");
  stdfs::remove(source("PHOTOS/one"));
  const nlohmann::json done = sync();
  EXPECT_EQ(done.value("transferred_files", 0), 1);
  EXPECT_EQ(done.value("deleted", 0), 1);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("PHOTOS"));
  EXPECT_EQ(read_file(mirror("PHOTOS/two")), "edited");
  EXPECT_EQ(read_file(mirror("PHOTOS/deep/four")), "photos/deep/four");
}

TEST_F(FoldingTest, NamesAtAllDepthsChangeTheirCaseAtOnce) {
  for (const char* name : {"top/sub/one", "top/sub/two", "top/three"}) {
    stdfs::create_directories(source(name).parent_path());
    write_file(source(name), name);
  }
  sync();
  move("top/sub/one", "top/sub/One");
  move("top/sub", "top/Sub");
  move("top", "TOP");
  EXPECT_EQ(sync().value("transferred_files", 1), 0);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("TOP"));
  EXPECT_THAT(names_in(mirror("TOP")), ElementsAre("Sub", "three"));
  EXPECT_THAT(names_in(mirror("TOP/Sub")), ElementsAre("One", "two"));
}

TEST_F(FoldingTest, ANameChangesItsCaseInADirectoryThatIsRenamed) {
  for (const char* name : {"old/one", "old/two", "old/three"}) {
    stdfs::create_directories(source(name).parent_path());
    write_file(source(name), name);
  }
  sync();
  move("old/one", "old/One");
  move("old", "new");
  EXPECT_EQ(sync().value("transferred_files", 1), 0);
  EXPECT_THAT(names_in(bench_.mirror()), ElementsAre("new"));
  EXPECT_THAT(names_in(mirror("new")), ElementsAre("One", "three", "two"));
}

}  // namespace
}  // namespace ssync::integration
