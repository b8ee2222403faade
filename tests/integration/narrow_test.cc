// The whole pipeline with every queue of capacity 1: nothing may wait for itself.
#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

TEST(NarrowTest, EverythingWorksWithOneItemOfRoom) {
  Bench bench("narrow-");
  bench.start_server();
  for (int d = 0; d < 12; ++d) {
    const stdfs::path directory = bench.source() / ("dir" + std::to_string(d)) / "sub";
    stdfs::create_directories(directory);
    for (int f = 0; f < 40; ++f)
      write_file(directory / std::to_string(f), random_bytes(static_cast<std::uint64_t>(d * 100 + f), 3000));
  }
  write_file(bench.source() / "large", random_bytes(1, 40 << 20));
  bench.expect_sync();

  // Renames, copies, edits, deletes, changes of kind, doubts to settle by reading both ends: every kind of
  // question and step at once.
  stdfs::rename(bench.source() / "dir0", bench.source() / "renamed");
  stdfs::copy(bench.source() / "dir1", bench.source() / "copied", stdfs::copy_options::recursive);
  stdfs::remove_all(bench.source() / "dir2");
  write_file(bench.source() / "dir2", "a file now");
  for (int f = 0; f < 40; ++f) {
    const stdfs::path path = bench.source() / "dir3" / "sub" / std::to_string(f);
    const Times before = mtime_of(path);
    write_file(path, random_bytes(static_cast<std::uint64_t>(7000 + f), 3000));
    set_mtime(path, before.s, before.ns);
    set_mtime(bench.mirror() / "dir4" / "sub" / std::to_string(f), 5);
  }
  bench.expect_sync({"-v"});
  bench.expect_sync({"--checksum"});
  EXPECT_EQ(bench.sync({"--verify"}).code, 0);
}

}  // namespace
}  // namespace ssync::integration
