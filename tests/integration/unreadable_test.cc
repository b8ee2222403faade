// Directories that one end or both cannot read (lost+found of an ordinary user's disks): everything else is
// mirrored, and they are right at once when they can be read again.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

/// Who cannot read "closed", and whether it holds anything.
struct Closed {
  bool on_source = false, on_mirror = false, with_content = false, with_edits = false;
};

std::string name_of(const ::testing::TestParamInfo<Closed>& info) {
  const Closed& closed = info.param;
  return std::string(closed.on_source ? "Source" : "") + (closed.on_mirror ? "Mirror" : "") +
         (closed.with_content ? "Full" : "Empty") + (closed.with_edits ? "Edited" : "Idle");
}

class UnreadableTest : public ::testing::TestWithParam<Closed> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs directories of another user";
    write_file(bench_.source() / "file", "x");
    stdfs::create_directory(bench_.source() / "directory");
    write_file(bench_.source() / "directory" / "file", "x");
    if (!bench_.run_as_ordinary_user()) GTEST_SKIP() << "an ordinary user cannot run the programs here";
  }
  void make(const stdfs::path& root, bool is_closed) const {
    const stdfs::path closed = root / "closed";
    stdfs::create_directory(closed);
    const stdfs::path inside = closed / "inside";
    if (GetParam().with_content) write_file(inside, "of " + root.filename().string());
    if (GetParam().with_content) {
      ASSERT_EQ(chown(inside.c_str(), 65534, 65534), 0);
    }
    set_open(closed, !is_closed);
  }
  static void set_open(const stdfs::path& closed, bool is_open) {
    ASSERT_EQ(chown(closed.c_str(), is_open ? 65534 : 0, is_open ? 65534 : 0), 0);
    ASSERT_EQ(chmod(closed.c_str(), 0700), 0);
  }
  void expect_partial(int sync) const {
    const Finished done = bench_.sync();
    EXPECT_EQ(done.code, 23) << sync << done.out << done.err;
    EXPECT_NE(done.err.find("closed"), std::string::npos) << done.err;
    EXPECT_EQ(read_file(bench_.mirror() / "file"), read_file(bench_.source() / "file"));
    EXPECT_EQ(read_file(bench_.mirror() / "directory" / "file"),
              read_file(bench_.source() / "directory" / "file"));
  }
  mutable Bench bench_;
};

TEST_P(UnreadableTest, CostsOnlyItself) {
  make(bench_.source(), GetParam().on_source);
  make(bench_.mirror(), GetParam().on_mirror);
  bench_.start_server();
  for (int i = 0; i < 3; ++i) {
    if (GetParam().with_edits) {
      write_file(bench_.source() / "directory" / "file", "edit " + std::to_string(i));
      write_file(bench_.source() / ("new" + std::to_string(i)), "new");
      ASSERT_EQ(chown((bench_.source() / ("new" + std::to_string(i))).c_str(), 65534, 65534), 0);
    }
    expect_partial(i);
  }
  set_open(bench_.source() / "closed", true);
  set_open(bench_.mirror() / "closed", true);
  bench_.expect_sync();
}

INSTANTIATE_TEST_SUITE_P(, UnreadableTest,
                         ::testing::Values(Closed{true, true, false, false}, Closed{true, true, false, true},
                                           Closed{true, true, true, false}, Closed{true, true, true, true},
                                           Closed{true, false, false, false}, Closed{true, false, true, true},
                                           Closed{false, true, false, false},
                                           Closed{false, true, true, true}),
                         name_of);

}  // namespace
}  // namespace ssync::integration
