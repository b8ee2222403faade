// Whole trees: kinds, names, changes of kind, swaps, renames, metadata, repairs. Each judged by rsync both
// ways and by content.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class MirrorTest : public ::testing::Test {
 protected:
  void SetUp() override { bench_.start_server(); }
  [[nodiscard]] stdfs::path source(std::string_view path) const { return bench_.source() / path; }
  [[nodiscard]] stdfs::path mirror(std::string_view path) const { return bench_.mirror() / path; }
  Bench bench_;
};

TEST_F(MirrorTest, EveryKindOfEntryWithAllItsMetadata) {
  stdfs::create_directories(source("d/e/f"));
  stdfs::create_directory(source("empty"));
  write_file(source("d/plain"), "plain\n");
  write_file(source("d/empty"), "");
  write_file(source("d/e/large"), random_bytes(1, 3'000'001));
  write_file(source("d/setuid"), "x");
  chmod(source("d/setuid").c_str(), 06751);
  chmod(source("d/e").c_str(), 01777);
  chmod(source("empty").c_str(), 0555);
  stdfs::create_symlink("plain", source("d/link"));
  stdfs::create_symlink("/nowhere/at all", source("dangling"));
  stdfs::create_symlink("..", source("d/e/up"));
  set_mtime(source("d/link"), 1'234'567'890, 987'654'321);
  set_mtime(source("d/plain"), 1, 1);
  set_mtime(source("d/e/f"), -86'400, 5);
  set_mtime(bench_.source(), 1'600'000'000, 123'456'789);
  bench_.expect_sync();
  EXPECT_EQ(mtime_of(mirror("d/link")).ns, 987'654'321);
  EXPECT_EQ(mtime_of(mirror("d/e/f")).s, -86'400);
  EXPECT_EQ(mtime_of(bench_.mirror()).ns, 123'456'789);
}

TEST_F(MirrorTest, NamesAreBytes) {
  for (const std::string& name :
       {std::string("sp ace"), std::string("new\nline"), std::string("\xff\xfe not utf-8"),
        std::string("-dash"), std::string("tab\t"), std::string("\\#123"), std::string(255, 'n'),
        std::string("*?[x]"), std::string("caf\xc3\xa9"), std::string(".hidden")}) {
    write_file(source(name), name);
    stdfs::create_directories(source("dir"));
    write_file(source("dir") / name, name);
  }
  bench_.expect_sync();
  const Finished shown = run(bench_.client_arguments({"--once", "-n", "-v"}));
  EXPECT_EQ(shown.code, 0) << shown.err;
}

TEST_F(MirrorTest, ANewNameIsPrintedEscaped) {
  bench_.expect_sync();
  write_file(source("bell\a and \xff"), "x");
  const Finished shown = run(bench_.client_arguments({"--once", "-v"}));
  EXPECT_NE(shown.out.find("bell\\#007 and \\#377"), std::string::npos) << shown.out;
}

TEST_F(MirrorTest, WhatIsSentFollowsTheChange) {
  for (int d = 0; d < 40; ++d) {
    const stdfs::path directory = source("directory " + std::to_string(d));
    stdfs::create_directories(directory / "empty");
    for (int f = 0; f < 50; ++f)
      write_file(directory / ("a file with some name " + std::to_string(f)), std::to_string(d * 50 + f));
  }
  bench_.expect_sync();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until no file is too young to be trusted
  bench_.expect_sync();
  const auto sent = [&] {
    const Finished done = bench_.sync();
    EXPECT_EQ(done.code, 0) << done.err;
    return done.event("sync_done").at("bytes_sent").get<std::size_t>();
  };
  // 2,080 entries of 60 bytes and more would be 120,000.
  const std::size_t idle = sent();
  EXPECT_LT(idle, 8'000U);
  write_file(source("directory 7/a file with some name 3"), "changed");
  const std::size_t change = sent();
  EXPECT_GT(change, idle + 1'000U);  // the rows beside it
  EXPECT_LT(change, idle + 8'000U);
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, AnEntryBecomesAnyOtherKind) {
  const auto make = [&](const std::string& name, char kind) {
    std::error_code ignored;
    stdfs::remove_all(source(name), ignored);
    if (kind == 'f') write_file(source(name), "file " + name);
    if (kind == 'd') {
      stdfs::create_directories(source(name) / "sub");
      write_file(source(name) / "sub" / "inside", "inside " + name);
    }
    if (kind == 'l') stdfs::create_symlink("target of " + name, source(name));
  };
  for (const char from : {'f', 'd', 'l'}) {
    for (const char to : {'f', 'd', 'l'})
      make(std::string{from, to}, from);
  }
  bench_.expect_sync();
  for (const char from : {'f', 'd', 'l'}) {
    for (const char to : {'f', 'd', 'l'})
      make(std::string{from, to}, to);
  }
  bench_.expect_sync();
}

TEST_F(MirrorTest, ADirectoryBecomesAFileWithTheContentOfAFileInIt) {
  stdfs::create_directories(source("x/y"));
  write_file(source("x/y/z"), random_bytes(7, 100'000));
  bench_.expect_sync();
  stdfs::rename(source("x/y/z"), source("keep"));
  stdfs::remove_all(source("x"));
  stdfs::rename(source("keep"), source("x"));
  bench_.expect_sync();
}

TEST_F(MirrorTest, SwappedAndRotatedNamesAreNotSentAgain) {
  for (const char name : {'a', 'b', 'c', 'd', 'e'})
    write_file(source(std::string(1, name)), random_bytes(static_cast<std::uint64_t>(name), 50'000));
  bench_.expect_sync();
  const auto swap = [&](const char* one, const char* other) {
    ASSERT_EQ(renameat2(AT_FDCWD, source(one).c_str(), AT_FDCWD, source(other).c_str(), 2), 0);
  };
  swap("a", "b");
  swap("c", "d");
  swap("d", "e");  // c, d, e in a circle
  const Finished done = bench_.sync();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.event("sync_done").value("transferred_bytes", 1), 0) << done.out;
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, ARenamedDirectoryIsNotSentAgain) {
  stdfs::create_directories(source("old/deep"));
  for (int i = 0; i < 50; ++i)
    write_file(source("old/deep/" + std::to_string(i)), random_bytes(static_cast<std::uint64_t>(i), 5'000));
  bench_.expect_sync();
  const std::uint64_t inode = inode_of(bench_.mirror() / "old");
  stdfs::rename(source("old"), source("new"));
  const Finished done = bench_.sync();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.event("sync_done").value("transferred_bytes", 1), 0) << done.out;
  EXPECT_EQ(done.event("sync_done").value("renamed", 0), 1) << done.out;
  EXPECT_EQ(inode_of(bench_.mirror() / "new"), inode);
  EXPECT_EQ(bench_.differences(), "");
  EXPECT_EQ(bench_.sync().event("sync_done").value("metadata", 1), 0);
}

TEST_F(MirrorTest, ADirectoryThatWasRenamedAndEditedKeepsWhatItCan) {
  for (const char* sub : {"old/a", "old/b", "old/c"}) {
    stdfs::create_directories(source(sub));
    for (int i = 0; i < 20; ++i)
      write_file(source(sub) / std::to_string(i),
                 random_bytes(static_cast<std::uint64_t>(i + 100 * sub[4]), 5'000));
  }
  bench_.expect_sync();
  const std::uint64_t inode = inode_of(bench_.mirror() / "old");
  stdfs::rename(source("old"), source("new"));
  stdfs::remove(source("new/a/3"));
  write_file(source("new/a/4"), "other");
  stdfs::rename(source("new/b/5"), source("out"));
  write_file(source("new/c/new"), "1234567");
  const Finished done = bench_.sync();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.event("sync_done").value("transferred_bytes", 1), 12) << done.out;
  EXPECT_EQ(done.event("sync_done").value("renamed", 0), 2) << done.out;
  EXPECT_EQ(done.event("sync_done").value("deleted", 0), 1) << done.out;
  EXPECT_EQ(inode_of(bench_.mirror() / "new"), inode);
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, AnEditInADirectoryThatMovedIsSeenThoughSizeAndTimeAreAsBefore) {
  stdfs::create_directories(source("old"));
  for (const char* name : {"old/a", "old/b"})
    write_file(source(name), "as it was");
  bench_.expect_sync();
  stdfs::rename(source("old"), source("new"));
  bench_.expect_sync();
  const stdfs::path edited = bench_.mirror() / "new/a";
  const auto time = stdfs::last_write_time(edited);
  write_file(edited, "tampered!");
  stdfs::last_write_time(edited, time);
  bench_.expect_sync();
  EXPECT_EQ(read_file(edited), "as it was");
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, LogRotationIsNotSentAgain) {
  for (int i = 0; i < 4; ++i)
    write_file(source("log." + std::to_string(i)), random_bytes(static_cast<std::uint64_t>(i), 40'000));
  bench_.expect_sync();
  for (int i = 3; i >= 0; --i)
    stdfs::rename(source("log." + std::to_string(i)), source("log." + std::to_string(i + 1)));
  write_file(source("log.0"), "new\n");
  const Finished done = bench_.sync();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_LE(done.event("sync_done").value("transferred_bytes", 100), 4) << done.out;
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, AChangedModeIsNoTransfer) {
  write_file(source("script"), random_bytes(3, 200'000));
  bench_.expect_sync();
  chmod(source("script").c_str(), 0700);
  const Finished done = bench_.sync();
  EXPECT_EQ(done.event("sync_done").value("transferred_bytes", 1), 0) << done.out;
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, AnEditThatRestoresSizeAndTimeIsSeen) {
  write_file(source("secret"), "aaaaaaaa");
  bench_.expect_sync();
  const Times before = mtime_of(source("secret"));
  write_file(source("secret"), "bbbbbbbb");
  set_mtime(source("secret"), before.s, before.ns);
  bench_.expect_sync();
  EXPECT_EQ(read_file(mirror("secret")), "bbbbbbbb");
}

TEST_F(MirrorTest, AnEditOnTheMirrorThatRestoresSizeAndTimeIsRepaired) {
  write_file(source("kept"), "aaaaaaaa");
  bench_.expect_sync();
  const Times before = mtime_of(mirror("kept"));
  write_file(mirror("kept"), "damaged!");
  set_mtime(mirror("kept"), before.s, before.ns);
  bench_.expect_sync();
  EXPECT_EQ(read_file(mirror("kept")), "aaaaaaaa");
}

TEST_F(MirrorTest, HolesStayHoles) {
  write_file(source("sparse"), "begin");
  ASSERT_EQ(truncate(source("sparse").c_str(), 64 << 20), 0);
  bench_.expect_sync();
  struct stat found {};
  ASSERT_EQ(stat(mirror("sparse").c_str(), &found), 0);
  EXPECT_EQ(found.st_size, 64 << 20);
  EXPECT_LT(found.st_blocks * 512, 1 << 20);
}

TEST_F(MirrorTest, WhatWasChangedOnTheMirrorIsPutRight) {
  stdfs::create_directories(source("a/b"));
  write_file(source("a/b/file"), "right");
  write_file(source("a/other"), "right too");
  bench_.expect_sync();
  stdfs::remove_all(mirror("a/b"));
  write_file(mirror("a/b"), "a file instead of a directory");
  write_file(mirror("a/other"), "wrong");
  write_file(mirror("extra"), "extra");
  chmod(mirror("a").c_str(), 0700);
  bench_.expect_sync();
}

TEST_F(MirrorTest, NothingIsDoneTheSecondTime) {
  stdfs::create_directories(source("a/b/c"));
  for (int i = 0; i < 20; ++i)
    write_file(source("a/b/" + std::to_string(i)), random_bytes(static_cast<std::uint64_t>(i), 1000));
  bench_.expect_sync();
  bench_.expect_sync();  // settles what was too young to trust
  const Finished done = bench_.sync();
  const nlohmann::json stats = done.event("sync_done");
  EXPECT_EQ(done.code, 0);
  for (const char* count : {"transferred_files", "created", "copied", "renamed", "deleted", "metadata"})
    EXPECT_EQ(stats.value(count, 1), 0) << count;
  EXPECT_EQ(stats.value("tree_digest", "a"), stats.value("mirror_digest", "b"));
}

TEST_F(MirrorTest, ATrailingSlashMakesNoDifference) {
  write_file(source("file"), "x");
  std::vector<std::string> arguments = bench_.client_arguments({"--once"});
  arguments[1] += "/";
  EXPECT_EQ(run(arguments).code, 0);
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(MirrorTest, ADryRunChangesNothingAndShowsEverything) {
  stdfs::create_directory(source("dir"));
  write_file(source("dir/new"), "new");
  write_file(mirror("extra"), "extra");
  const Finished shown = run(bench_.client_arguments({"-n"}));
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_NE(shown.out.find("*deleting   extra"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("<f+++++++++ dir/new"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("cd+++++++++ dir/"), std::string::npos) << shown.out;
  EXPECT_TRUE(stdfs::exists(mirror("extra")));
  EXPECT_FALSE(stdfs::exists(mirror("dir")));
}

TEST_F(MirrorTest, VerifyFindsADifferenceThatTheIndexCannotSee) {
  write_file(source("file"), "content");
  bench_.expect_sync();
  EXPECT_EQ(bench_.sync({"--verify"}).code, 0);
  write_file(mirror("file"), "CONTENT");
  const Times right = mtime_of(source("file"));
  set_mtime(mirror("file"), right.s, right.ns);
  EXPECT_EQ(bench_.sync({"--verify"}).code, 23);
  EXPECT_EQ(read_file(mirror("file")), "CONTENT");
}

TEST_F(MirrorTest, ChecksumModeComparesContent) {
  write_file(source("file"), "content");
  bench_.expect_sync();
  bench_.expect_sync({"--checksum"});
  bench_.expect_sync({"--digest=md5", "--eager-digest"});
}

}  // namespace
}  // namespace ssync::integration
