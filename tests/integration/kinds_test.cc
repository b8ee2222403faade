// Entries of another kind than the source's, and those that are not mirrored: whatever stands on the mirror
// is corrected.
#include <sys/stat.h>

#include <string>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

/// With the directory that it is in.
void put(const stdfs::path& path, std::string_view content) {
  stdfs::create_directories(path.parent_path());
  write_file(path, content);
}

class KindsTest : public ::testing::Test {
 protected:
  void SetUp() override { bench_.start_server(); }
  [[nodiscard]] stdfs::path source(std::string_view path) const { return bench_.source() / path; }
  [[nodiscard]] stdfs::path mirror(std::string_view path) const { return bench_.mirror() / path; }
  Bench bench_;
};

TEST_F(KindsTest, SocketsFifosAndDevicesAreNotMadeAndToldOnce) {
  ASSERT_EQ(mkfifo(source("fifo").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(source("fifo too").c_str(), 0600), 0);
  write_file(source("file"), "x");
  for (int i = 0; i < 3; ++i) {
    const Finished done = run(bench_.client_arguments({"--once"}));
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(done.err, "");
    EXPECT_NE(done.out.find("Not mirrored: 2 sockets, fifos or devices"), std::string::npos) << done.out;
  }
  EXPECT_NE(run(bench_.client_arguments({"--once", "-v"})).err.find("fifo too"), std::string::npos);
  const Finished done = bench_.sync();
  EXPECT_EQ(done.event("sync_done").at("plan").value("specials", 0), 2);
  EXPECT_TRUE(stdfs::exists(mirror("file")));
  EXPECT_FALSE(stdfs::exists(stdfs::symlink_status(mirror("fifo"))));
}

TEST_F(KindsTest, SocketsFifosAndDevicesOfTheMirrorAreCorrectedLikeAnythingElse) {
  put(source("run/pid"), "x");
  put(source("keep/file"), "x");
  bench_.expect_sync();
  for (const char* path : {"run/fifo", "extra", "keep/fifo"})
    ASSERT_EQ(mkfifo(mirror(path).c_str(), 0600), 0);
  stdfs::remove_all(source("run"));
  bench_.expect_sync();
  for (const char* path : {"taken", "directory", "link"})
    ASSERT_EQ(mkfifo(mirror(path).c_str(), 0600), 0);
  write_file(source("taken"), "now");
  put(source("directory/file"), "now");
  stdfs::create_symlink("taken", source("link"));
  bench_.expect_sync();
}

TEST_F(KindsTest, AFifoOnBothEndsIsLeftAlone) {
  ASSERT_EQ(mkfifo(source("fifo").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(mirror("fifo").c_str(), 0600), 0);
  write_file(mirror("extra"), "x");
  const Finished done = bench_.sync();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.event("sync_done").at("plan").value("specials", 1), 0);
  EXPECT_TRUE(stdfs::is_fifo(mirror("fifo")));
  EXPECT_FALSE(stdfs::exists(mirror("extra")));
}

class NoDeleteTest : public KindsTest {
 protected:
  void expect_replaced() {
    write_file(mirror("extra"), "stays");
    const Finished done = bench_.sync({"--no-delete"});
    EXPECT_EQ(done.code, 0) << done.out << done.err;
    EXPECT_EQ(read_file(mirror("extra")), "stays");
    stdfs::remove(mirror("extra"));
    set_mtime(mirror(""), mtime_of(source("")).s, mtime_of(source("")).ns);
    EXPECT_EQ(bench_.differences(), "");
  }
};

TEST_F(NoDeleteTest, AFileReplacesALinkAFifoAndAnEmptyDirectory) {
  for (const char* path : {"was link", "was fifo", "was directory"})
    write_file(source(path), "file");
  stdfs::create_symlink("target", mirror("was link"));
  ASSERT_EQ(mkfifo(mirror("was fifo").c_str(), 0600), 0);
  stdfs::create_directory(mirror("was directory"));
  expect_replaced();
}

TEST_F(NoDeleteTest, ALinkReplacesAFile) {
  stdfs::create_symlink("target", source("x"));
  write_file(mirror("x"), "file");
  expect_replaced();
}

TEST_F(NoDeleteTest, ADirectoryReplacesAFileAndALink) {
  put(source("was file/inside"), "file");
  put(source("was link/inside"), "file");
  write_file(mirror("was file"), "file");
  stdfs::create_symlink("target", mirror("was link"));
  expect_replaced();
}

TEST_F(NoDeleteTest, ADirectoryWithContentStaysAndIsAProblem) {
  write_file(source("x"), "file");
  write_file(source("y"), "file");
  put(mirror("x/inside"), "stays");
  const Finished done = bench_.sync({"--no-delete"});
  EXPECT_EQ(done.code, 23) << done.out;
  EXPECT_NE(done.err.find("x: is a file in the source and a directory on the mirror"), std::string::npos)
      << done.err;
  EXPECT_EQ(read_file(mirror("x/inside")), "stays");
  EXPECT_EQ(read_file(mirror("y")), "file");
}

/// Both trees are made by hand: nothing was synced yet.
class VerifyTest : public KindsTest {
 protected:
  void verify() {
    for (const stdfs::path& root : {bench_.source(), bench_.mirror()})
      set_mtime(root, 1'600'000'000);
    text_ = run(bench_.client_arguments({"--verify"}));
    json_ = bench_.sync({"--verify"});
  }
  void expect_equal() {
    verify();
    EXPECT_EQ(text_.code, 0) << text_.out << text_.err;
    EXPECT_NE(text_.out.find(": equal"), std::string::npos) << text_.out;
    EXPECT_EQ(json_.code, 0);
    EXPECT_TRUE(json_.event("sync_done").value("equal", false));
  }
  /// `line`: that names the path and what differs, on either stream.
  void expect_different(const std::string& line) {
    verify();
    EXPECT_EQ(text_.code, 23) << text_.out << text_.err;
    EXPECT_NE(text_.out.find(": different"), std::string::npos) << text_.out;
    EXPECT_NE((text_.out + text_.err).find(line), std::string::npos) << text_.out << text_.err;
    EXPECT_EQ(json_.code, 23);
    EXPECT_FALSE(json_.event("sync_done").value("equal", true));
  }
  void put_on_both(std::string_view path, std::string_view content) {
    for (const stdfs::path& at : {source(path), mirror(path)}) {
      write_file(at, content);
      set_mtime(at, 1'600'000'000);
    }
  }
  Finished text_, json_;
};

TEST_F(VerifyTest, EqualTreesAreEqual) {
  put_on_both("file", "content");
  expect_equal();
  bench_.expect_sync();
  expect_equal();
}

TEST_F(VerifyTest, WhatIsMissing) {
  write_file(source("file"), "x");
  expect_different("file: missing on the mirror (a file)");
}

TEST_F(VerifyTest, WhatIsExtra) {
  write_file(mirror("file"), "x");
  stdfs::create_directory(mirror("directory"));
  expect_different("file: on the mirror, not in the source (a file)");
  EXPECT_NE(text_.out.find("directory: on the mirror, not in the source (a directory)"), std::string::npos);
  EXPECT_EQ(run(bench_.client_arguments({"--verify", "--no-delete"})).code, 23);
  EXPECT_EQ(run(bench_.client_arguments({"--verify", "--max-delete=0"})).code, 23);
}

TEST_F(VerifyTest, AnExtraFifoAndWhatItIsIn) {
  stdfs::create_directory(mirror("gone"));
  ASSERT_EQ(mkfifo(mirror("gone/fifo").c_str(), 0600), 0);
  expect_different("gone/fifo: on the mirror, not in the source (a socket, fifo or device)");
}

TEST_F(VerifyTest, AnotherKind) {
  write_file(source("x"), "x");
  ASSERT_EQ(mkfifo(mirror("x").c_str(), 0600), 0);
  expect_different("x: missing on the mirror (a file)");
}

TEST_F(VerifyTest, AFifoThatTheMirrorDoesNotHave) {
  ASSERT_EQ(mkfifo(source("fifo").c_str(), 0600), 0);
  expect_different("fifo: a socket, fifo or device: not mirrored");
  ASSERT_EQ(mkfifo(mirror("fifo").c_str(), 0600), 0);
  expect_equal();
}

TEST_F(VerifyTest, OtherContentUnderTheSameSizeAndTime) {
  put_on_both("file", "a");
  write_file(mirror("file"), "b");
  set_mtime(mirror("file"), 1'600'000'000);
  expect_different("file: other content");
}

TEST_F(VerifyTest, AnotherMode) {
  put_on_both("file", "a");
  chmod(mirror("file").c_str(), 0600);
  expect_different("file: other mode");
}

TEST_F(VerifyTest, NamesTheFirstTenAndCountsTheRest) {
  for (int i = 10; i < 35; ++i)
    write_file(source(std::to_string(i)), "x");
  expect_different("19: missing on the mirror");
  EXPECT_EQ(text_.out.find("20: missing"), std::string::npos) << text_.out;
  EXPECT_NE(text_.out.find("... and 15 more (-v names all)"), std::string::npos) << text_.out;
  EXPECT_NE(run(bench_.client_arguments({"--verify", "-v"})).out.find("34: missing"), std::string::npos);
}

TEST_F(VerifyTest, NothingIsChangedByIt) {
  write_file(source("file"), "x");
  write_file(mirror("extra"), "x");
  verify();
  EXPECT_FALSE(stdfs::exists(mirror("file")));
  EXPECT_TRUE(stdfs::exists(mirror("extra")));
}

}  // namespace
}  // namespace ssync::integration
