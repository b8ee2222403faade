// Mirrors on file systems that cannot do everything: what they cannot is found out, and the rest is right.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class MirrorKindsTest : public ::testing::Test {
 protected:
  ~MirrorKindsTest() override {
    if (bench_.has_server()) bench_.kill_server();
    for (auto at = mounted_.rbegin(); at != mounted_.rend(); ++at)
      ::umount2(at->c_str(), MNT_DETACH);
  }

  /// False: this machine or user cannot.
  [[nodiscard]] bool mount(const std::string& what, const stdfs::path& at, const char* type,
                           unsigned long flags, const std::string& options = "") {
    stdfs::create_directories(at);
    if (::mount(what.c_str(), at.c_str(), type, flags, options.c_str()) != 0) return false;
    mounted_.push_back(at);
    return true;
  }

  /// A second sync finds nothing to do.
  void expect_idle() {
    const Finished again = bench_.sync();
    EXPECT_EQ(again.code, 0) << again.err;
    for (const char* count : {"requests", "created", "copies", "renames", "metadata", "deletes"})
      EXPECT_EQ(again.event("plan").value(count, -1), 0) << again.out;
  }

  Bench bench_;

 private:
  std::vector<stdfs::path> mounted_;
};

TEST_F(MirrorKindsTest, ADirectoryThatMovesBetweenTwoBindMounts) {
  for (const char* name : {"a", "b"}) {
    stdfs::create_directories(bench_.path(std::string("volume-") + name));
    stdfs::create_directories(bench_.source() / name);
    if (!mount(bench_.path(std::string("volume-") + name), bench_.mirror() / name, "none", MS_BIND))
      GTEST_SKIP() << "needs root, for bind mounts";
  }
  stdfs::create_directories(bench_.source() / "a/album/deep");
  for (int i = 0; i < 20; ++i) {
    write_file(bench_.source() / ("a/album/deep/file-" + std::to_string(i)),
               random_bytes(static_cast<std::uint64_t>(i), 5000));
    write_file(bench_.source() / ("a/album/photo-" + std::to_string(i)), "photo " + std::to_string(i));
  }
  stdfs::create_symlink("photo-1", bench_.source() / "a/album/link");
  bench_.start_server();
  bench_.expect_sync();
  stdfs::rename(bench_.source() / "a/album", bench_.source() / "b/album");
  stdfs::rename(bench_.source() / "b/album/deep/file-3", bench_.source() / "b/album/renamed");
  stdfs::remove(bench_.source() / "b/album/photo-7");
  write_file(bench_.source() / "b/album/new", "new");
  write_file(bench_.source() / "b/album/photo-8", "another photo");
  bench_.expect_sync();
  expect_idle();
}

TEST_F(MirrorKindsTest, FilesThatSwapBetweenTwoBindMounts) {
  stdfs::create_directories(bench_.path("volume"));
  stdfs::create_directories(bench_.source() / "a");
  if (!mount(bench_.path("volume"), bench_.mirror() / "a", "none", MS_BIND))
    GTEST_SKIP() << "needs root, for bind mounts";
  write_file(bench_.source() / "a/one", random_bytes(1, 9000));
  write_file(bench_.source() / "two", random_bytes(2, 9000));
  write_file(bench_.source() / "three", random_bytes(3, 9000));
  bench_.start_server();
  bench_.expect_sync();
  stdfs::rename(bench_.source() / "a/one", bench_.source() / "aside");
  stdfs::rename(bench_.source() / "two", bench_.source() / "a/one");
  stdfs::rename(bench_.source() / "three", bench_.source() / "two");
  stdfs::rename(bench_.source() / "aside", bench_.source() / "three");
  bench_.expect_sync();
  expect_idle();
  stdfs::rename(bench_.source() / "a/one", bench_.source() / "aside");
  stdfs::rename(bench_.source() / "two", bench_.source() / "a/one");
  stdfs::rename(bench_.source() / "aside", bench_.source() / "two");
  bench_.expect_sync();
  expect_idle();
}

TEST_F(MirrorKindsTest, ADirectoryOfALowerLayerMoves) {
  stdfs::create_directories(bench_.source() / "old/below");
  for (int i = 0; i < 20; ++i) {
    write_file(bench_.source() / ("old/file-" + std::to_string(i)), "content " + std::to_string(i));
    write_file(bench_.source() / ("old/below/file-" + std::to_string(i)), "below " + std::to_string(i));
  }
  const stdfs::path base = bench_.path("layers");
  // Layers must not be on the overlay itself; a tmpfs of their own is as good as any.
  if (!mount("layers", base, "tmpfs", 0)) GTEST_SKIP() << "needs root, for mounts";
  for (const char* name : {"upper", "work", "lower"})
    stdfs::create_directories(base / name);
  ASSERT_EQ(run({"cp", "-a", bench_.source().string() + "/.", base / "lower"}).code, 0);
  if (!mount("overlay", bench_.mirror(), "overlay", 0,
             "lowerdir=" + (base / "lower").string() + ",upperdir=" + (base / "upper").string() +
                 ",workdir=" + (base / "work").string()))
    GTEST_SKIP() << "no overlayfs here";
  bench_.start_server();
  bench_.expect_sync();
  stdfs::rename(bench_.source() / "old", bench_.source() / "new");
  bench_.expect_sync();
  expect_idle();
}

// As after `chmod -R 000`: whoever owns it gives the access back to himself, as rsync does.
TEST_F(MirrorKindsTest, WhatTheOwnerTookAwayFromHimselfIsPutRight) {
  if (!bench_.run_as_ordinary_user()) GTEST_SKIP() << "the ordinary user cannot run the programs here";
  const auto own_all = [&] {
    if (geteuid() == 0) {
      ASSERT_EQ(run({"chown", "-R", "65534:65534", bench_.source().string()}).code, 0);
    }
  };
  stdfs::create_directories(bench_.source() / "a/b/c");
  stdfs::create_directory(bench_.source() / "gone");
  for (const char* path : {"a/b/c/f", "a/b/g", "gone/x", "keeps"})
    write_file(bench_.source() / path, path);
  own_all();
  bench_.start_server();
  bench_.expect_sync();
  write_file(bench_.source() / "a/b/c/f", "is longer");
  write_file(bench_.source() / "a/b/new", "new");
  stdfs::remove_all(bench_.source() / "gone");
  own_all();
  std::vector<stdfs::path> all{bench_.mirror()};
  for (const auto& entry : stdfs::recursive_directory_iterator(bench_.mirror()))
    all.push_back(entry.path());
  for (auto path = all.rbegin(); path != all.rend(); ++path)
    ASSERT_EQ(::chmod(path->c_str(), 0), 0) << *path;
  bench_.expect_sync();
  expect_idle();
}

TEST_F(MirrorKindsTest, ARootThatMayNotBeWrittenIsLeftAsItIs) {
  write_file(bench_.source() / "file", "content");
  ASSERT_EQ(::chmod(bench_.source().c_str(), 0555), 0);
  bench_.start_server();
  bench_.expect_sync();
  expect_idle();
  ASSERT_EQ(::chmod(bench_.source().c_str(), 0755), 0);
}

TEST_F(MirrorKindsTest, ADefaultAclOfTheMirrorIsNotHandedDown) {
  if (run({"setfacl", "-m", "u:7777:rwx,d:u:7777:rwx", bench_.mirror()}).code != 0)
    GTEST_SKIP() << "no setfacl, or no ACLs here";
  stdfs::create_directories(bench_.source() / "d/e");
  write_file(bench_.source() / "d/file", "content");
  write_file(bench_.source() / "d/empty", "");
  write_file(bench_.source() / "file", random_bytes(1, 3'000'000));
  write_file(bench_.source() / "empty", "");
  bench_.start_server();
  bench_.expect_sync();
  write_file(bench_.source() / "d/e/later", "");
  stdfs::copy_file(bench_.source() / "file", bench_.source() / "d/copy");
  bench_.expect_sync();
  for (const auto& entry : stdfs::recursive_directory_iterator(bench_.mirror())) {
    const Finished acl = run({"getfacl", "-cp", entry.path()});
    EXPECT_EQ(acl.out.find("7777"), std::string::npos) << entry.path() << "\n" << acl.out;
  }
}

// It gives rights that the source does not give, and its mask becomes the mode that is set.
TEST_F(MirrorKindsTest, AnAclThatTheSourceDoesNotHaveGoes) {
  for (const stdfs::path& root : {bench_.source(), bench_.mirror()}) {
    stdfs::create_directories(root / "d");
    write_file(root / "d/f", "content");
    write_file(root / "d/big", random_bytes(1, 300'000));
    for (const char* path : {"d/f", "d/big", "d"})
      set_mtime(root / path, 1'600'000'000);
  }
  for (const char* path : {"d/f", "d"}) {
    if (run({"setfacl", "-m", "u:7777:rwx", bench_.mirror() / path}).code != 0)
      GTEST_SKIP() << "no setfacl, or no ACLs here";
  }
  ASSERT_EQ(run({"setfacl", "-m", "d:u:7777:rwx", bench_.mirror() / "d"}).code, 0);
  const auto has_acl = [&](const char* path) {
    return run({"getfacl", "-cp", bench_.mirror() / path}).out.find("7777") != std::string::npos;
  };
  bench_.start_server();
  EXPECT_EQ(bench_.sync({"--verify"}).code, 23) << "not equal";
  EXPECT_TRUE(has_acl("d/f"));
  bench_.expect_sync();
  EXPECT_FALSE(has_acl("d/f"));
  EXPECT_FALSE(has_acl("d"));
  expect_idle();
  // One that comes later moves the ctime, and is found by that.
  ASSERT_EQ(run({"setfacl", "-m", "u:7777:r", bench_.mirror() / "d/big"}).code, 0);
  bench_.expect_sync();
  EXPECT_FALSE(has_acl("d/big"));
  expect_idle();
}

TEST_F(MirrorKindsTest, WhatComesIntoADirectoryGetsItsGroup) {
  constexpr gid_t kShared = 5555;
  if (!bench_.run_as_ordinary_user({kShared})) GTEST_SKIP() << "that user cannot run the programs here";
  if (::chown(bench_.mirror().c_str(), 65534, kShared) != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::chmod(bench_.mirror().c_str(), 02750), 0);
  ASSERT_EQ(::chmod(bench_.source().c_str(), 02750), 0);
  stdfs::create_directories(bench_.source() / "d/e");
  for (const char* name : {"file", "d/file", "d/e/file"})
    write_file(bench_.source() / name, name);
  for (const char* name : {"empty", "d/empty"})
    write_file(bench_.source() / name, "");
  write_file(bench_.source() / "d/large", random_bytes(1, 3'000'000));
  stdfs::create_symlink("file", bench_.source() / "d/link");
  ASSERT_TRUE(bench_.run_as_ordinary_user({kShared}));  // owns that too
  bench_.start_server();
  const auto expect_group = [&] {
    ASSERT_EQ(bench_.sync().code, 0);
    for (const auto& entry : stdfs::recursive_directory_iterator(bench_.mirror())) {
      struct stat got {};
      ASSERT_EQ(::lstat(entry.path().c_str(), &got), 0);
      EXPECT_EQ(got.st_gid, kShared) << entry.path();
    }
  };
  ASSERT_EQ(::chown(bench_.mirror().c_str(), 65534, kShared), 0);
  ASSERT_EQ(::chmod(bench_.mirror().c_str(), 02750), 0);
  expect_group();
  write_file(bench_.source() / "d/e/later", "later");
  write_file(bench_.source() / "file", "another file");
  stdfs::copy_file(bench_.source() / "d/large", bench_.source() / "copy");
  expect_group();
}

}  // namespace
}  // namespace ssync::integration
