// Mirrors that cannot keep every time: what they cannot keep becomes the nearest, once, and is right from
// then on.
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "harness.h"
#include "image.h"

namespace ssync::integration {
namespace {

constexpr std::int64_t k1800 = -5'364'662'400;
constexpr std::int64_t k1913 = -1'786'752'000;
constexpr std::int64_t k2038 = 2'147'483'647;  ///< the last second of 32 bits
constexpr std::int64_t k2106 = 4'294'967'296;
constexpr std::int64_t k9999 = 253'402'300'799;

struct Disk {
  std::string name;
  std::vector<std::string> make;
  std::uint64_t size_bytes = 0;
};

void PrintTo(const Disk& disk, std::ostream* out) {
  *out << disk.name;
}

class TimesTest : public ::testing::TestWithParam<Disk> {
 protected:
  [[nodiscard]] stdfs::path source(std::string_view path) const { return bench_.source() / path; }
  [[nodiscard]] stdfs::path mirror(std::string_view path) const { return bench_.mirror() / path; }

  void make_source() {
    const auto file = [this](const std::string& name, std::int64_t s, std::int64_t ns) {
      write_file(source(name), name);
      set_mtime(source(name), s, ns);
    };
    file("f1800", k1800, 5);
    file("f1913", k1913, 7);
    file("before 1970", -1, 999'999'999);
    file("ends", k2038, 999'999'999);
    file("f2038", k2038 + 1, 0);
    file("f2106", k2106, 1);
    file("f9999", k9999, 0);
    stdfs::create_directories(source("d1800/below"));
    stdfs::create_symlink("nowhere", source("d1800/link"));
    set_mtime(source("d1800/link"), k2106, 3);
    set_mtime(source("d1800/below"), k9999, 3);
    set_mtime(source("d1800"), k1800, 3);
    set_mtime(bench_.source(), k2106, 5);
  }

  void expect_idle() {
    const Finished idle = bench_.sync();
    EXPECT_EQ(idle.code, 0) << idle.out << idle.err;
    const nlohmann::json done = idle.event("sync_done");
    EXPECT_EQ(done.value("metadata", 1), 0) << idle.out;
    EXPECT_EQ(done.value("transferred_files", 1), 0) << idle.out;
    EXPECT_EQ(done.value("warnings", 1), 0) << idle.out;
  }

  Bench bench_;
};

TEST_P(TimesTest, BecomeTheNearestThatTheMirrorKeeps) {
  const Disk& disk = GetParam();
  Image image(bench_.path("image"), disk.size_bytes, disk.make, bench_.mirror());
  if (!image.ok()) GTEST_SKIP() << image.why();
  stdfs::remove(mirror("lost+found"));
  make_source();
  bench_.start_server();
  const Finished first = bench_.sync();
  EXPECT_EQ(first.code, 0) << first.out << first.err;
  EXPECT_NE(first.err.find("the mirror cannot keep its time"), std::string::npos) << first.err;
  EXPECT_EQ(mtime_of(mirror("f2106")).s, k2038);
  EXPECT_EQ(mtime_of(mirror("f1800")).s, -k2038 - 1);
  EXPECT_EQ(mtime_of(mirror("f1913")).s, k1913);
  EXPECT_EQ(mtime_of(mirror("d1800")).s, -k2038 - 1);
  EXPECT_EQ(mtime_of(mirror("d1800/link")).s, k2038);
  expect_idle();
  bench_.stop_server();
  image.mount_again();  // what is on the disk, not what the kernel remembers
  bench_.start_server();
  expect_idle();
  set_mtime(source("f2106"), k2106 + 9);  // another time, the same one there
  set_mtime(source("f9999"), 1'600'000'000, 5);
  const Finished again = bench_.sync();
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_EQ(mtime_of(mirror("f9999")).s, 1'600'000'000);
  expect_idle();
  bench_.stop_server();
}

INSTANTIATE_TEST_SUITE_P(Disks, TimesTest,
                         ::testing::Values(Disk{"ext4", {"mkfs.ext4", "-q", "-I", "128"}, 32 << 20},
                                           Disk{"xfs", {"mkfs.xfs", "-q", "-m", "bigtime=0"}, 320 << 20}),
                         [](const auto& about) { return about.param.name; });

TEST(SizesTest, WhatTheMirrorCannotHoldIsToldAtOnceAndKeepsNothingAway) {
  Bench bench;
  Image image(bench.path("image"), 64 << 20, {"mkfs.ext4", "-q"}, bench.mirror());
  if (!image.ok()) GTEST_SKIP() << image.why();
  write_file(bench.source() / "a-hole", "");
  std::error_code error;
  stdfs::resize_file(bench.source() / "a-hole", std::uintmax_t{7} << 60U, error);
  if (error) GTEST_SKIP() << "no file of that size here: " << error.message();
  write_file(bench.source() / "zz", "small");
  bench.start_server();
  const Finished done = bench.sync();
  EXPECT_EQ(done.code, 23) << done.out << done.err;
  EXPECT_NE(done.err.find("a-hole: the mirror's file system cannot hold a file of 7.0 EiB"),
            std::string::npos)
      << done.err;
  EXPECT_EQ(read_file(bench.mirror() / "zz"), "small");
  EXPECT_FALSE(stdfs::exists(bench.mirror() / "a-hole"));
  // Trying leaves no trace.
  EXPECT_EQ(mtime_of(bench.mirror()).s, mtime_of(bench.source()).s);
  EXPECT_EQ(mtime_of(bench.mirror()).ns, mtime_of(bench.source()).ns);
  bench.stop_server();
}

}  // namespace
}  // namespace ssync::integration
