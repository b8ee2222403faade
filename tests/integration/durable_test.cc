// What a sync said is on the disk is there after a power cut.
#include <gtest/gtest.h>

#include "harness.h"
#include "image.h"

namespace ssync::integration {
namespace {

TEST(DurableTest, WhatIsMountedInsideTheMirrorIsFlushedToo) {
  Bench bench;
  const stdfs::path inside = bench.mirror() / "disk";
  stdfs::create_directory(inside);
  Image image(bench.path("image"), 64 << 20, {"mkfs.ext4", "-q"}, inside);
  if (!image.ok()) GTEST_SKIP() << image.why();
  stdfs::create_directories(bench.source() / "disk/deep");
  for (std::uint64_t i = 0; i < 40; ++i)
    write_file(bench.source() / (i % 2 == 0 ? "disk" : "disk/deep") / std::to_string(i),
               random_bytes(i, 50'000));
  write_file(bench.source() / "outside", "outside");
  bench.start_server();
  const Finished done = bench.sync();
  EXPECT_EQ(done.code, 0) << done.err;
  image.cut_power();
  EXPECT_EQ(compare_trees(bench.source(), bench.mirror()), "");
  bench.stop_server();
}

}  // namespace
}  // namespace ssync::integration
