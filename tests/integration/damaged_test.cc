// File systems that answer what no entry can be: one bad entry costs one entry.
#include <sys/mount.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

/// A disk in a file.
class Disk {
 public:
  Disk(stdfs::path image, stdfs::path at) : image_(std::move(image)), at_(std::move(at)) {}
  ~Disk() { unmount(); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  [[nodiscard]] bool make() {
    write_file(image_, "");
    stdfs::resize_file(image_, 32 << 20);
    return run({"mkfs.ext4", "-q", "-I", "256", image_.string()}).code == 0 && mount();
  }
  [[nodiscard]] bool mount() {
    is_mounted_ = run({"mount", "-o", "loop", image_.string(), at_.string()}).code == 0;
    return is_mounted_;
  }
  void unmount() {
    // A server that still runs keeps it busy: then it goes when that does.
    if (is_mounted_ && run({"umount", at_.string()}).code != 0) (void)run({"umount", "-l", at_.string()});
    is_mounted_ = false;
  }
  [[nodiscard]] bool set(const std::string& path, const std::string& field, const std::string& value) const {
    return run({"debugfs", "-w", "-R", "set_inode_field " + path + " " + field + " " + value,
                image_.string()})
               .code == 0;
  }

 private:
  const stdfs::path image_, at_;
  bool is_mounted_ = false;
};

class DamagedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  }
  Bench bench_;
  Disk source_disk_{bench_.path("source.img"), bench_.source()};
  Disk mirror_disk_{bench_.path("mirror.img"), bench_.mirror()};
};

TEST_F(DamagedTest, ATimeThatIsNoneCostsItsFile) {
  if (!source_disk_.make()) GTEST_SKIP() << "this machine does not let us mount a disk in a file";
  stdfs::remove(bench_.source() / "lost+found");
  for (const char* name : {"a", "bad", "c"})
    write_file(bench_.source() / name, name);
  source_disk_.unmount();
  ASSERT_TRUE(source_disk_.set("/bad", "mtime_extra", "0xFFFFFFFC"));
  ASSERT_TRUE(source_disk_.mount());
  bench_.start_server();
  for (int i = 0; i < 2; ++i) {
    const Finished done = bench_.sync();
    EXPECT_EQ(done.code, 23) << done.out << done.err;
    EXPECT_NE(done.err.find("bad: its modification time"), std::string::npos) << done.err;
    EXPECT_EQ(read_file(bench_.mirror() / "c"), "c");
  }
  set_mtime(bench_.source() / "bad", 1'600'000'000);
  bench_.expect_sync();
}

TEST_F(DamagedTest, OnTheMirrorSuchATimeIsSetRight) {
  if (!mirror_disk_.make()) GTEST_SKIP() << "this machine does not let us mount a disk in a file";
  stdfs::remove(bench_.mirror() / "lost+found");
  for (const char* name : {"a", "bad", "c"})
    write_file(bench_.source() / name, name);
  bench_.start_server();
  bench_.expect_sync();
  bench_.stop_server();
  mirror_disk_.unmount();
  ASSERT_TRUE(mirror_disk_.set("/bad", "mtime_extra", "0xFFFFFFFC"));
  ASSERT_TRUE(mirror_disk_.mount());
  bench_.start_server();
  bench_.expect_sync();
}

/// The number of a disk differs from boot to boot.
TEST_F(DamagedTest, ADirectoryThatWasUnreadableAtABootIsNoLostMount) {
  if (!source_disk_.make()) GTEST_SKIP() << "this machine does not let us mount a disk in a file";
  stdfs::remove(bench_.source() / "lost+found");
  stdfs::create_directory(bench_.source() / "photos");
  write_file(bench_.source() / "photos" / "one", "1");
  if (!bench_.run_as_ordinary_user()) GTEST_SKIP() << "an ordinary user cannot run the programs here";
  bench_.start_server();
  bench_.expect_sync();
  source_disk_.unmount();
  stdfs::create_directory(bench_.path("elsewhere"));
  Disk other(bench_.path("other.img"), bench_.path("elsewhere"));  // takes the loop device that was free
  ASSERT_TRUE(other.make());
  ASSERT_TRUE(source_disk_.mount());
  stdfs::permissions(bench_.source() / "photos", stdfs::perms::none);
  EXPECT_EQ(bench_.sync().code, 23);
  stdfs::permissions(bench_.source() / "photos", stdfs::perms::owner_all);
  bench_.expect_sync();
}

}  // namespace
}  // namespace ssync::integration
