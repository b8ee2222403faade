// What is not mirrored by design is told, and changes no exit code.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class UnmirroredTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool set(const std::string& name, const char* attribute) const {
    return ::setxattr((bench_.source() / name).c_str(), attribute, "x", 1, 0) == 0;
  }
  Bench bench_;
};

TEST_F(UnmirroredTest, IsCountedInTextAndJson) {
  write_file(bench_.source() / "noted", "a");
  write_file(bench_.source() / "plain", "b");
  write_file(bench_.source() / "one", "c");
  stdfs::create_hard_link(bench_.source() / "one", bench_.source() / "two");
  ASSERT_EQ(::mkfifo((bench_.source() / "fifo").c_str(), 0600), 0);
  const std::string staged = ".server-sync." + std::string(32, 'a');  // as a mirror has it in its root
  stdfs::create_directory(bench_.source() / staged);
  if (!set("noted", "user.comment")) GTEST_SKIP() << "no extended attributes on this file system";
  bench_.start_server();
  const auto counts = [this] {
    const Finished done = bench_.sync();
    EXPECT_EQ(done.code, 0) << done.err;
    return done.event("sync_done")["not_mirrored"];
  };
  nlohmann::json expected = {{"extended_attributes", 1}, {"acls", 0},     {"capabilities", 0},
                             {"hard_links", 2},          {"specials", 1}, {"reserved", 1}};
  EXPECT_EQ(counts(), expected);
  EXPECT_EQ(counts(), expected) << "when nothing changed";
  ASSERT_TRUE(set("plain", "user.comment"));
  expected["extended_attributes"] = 2;
  EXPECT_EQ(counts(), expected);

  const Finished text =
      run({program("client-sync"), bench_.source().string(), "--once", "--state-dir",
           bench_.path("client-state").string(), "--control-port", std::to_string(bench_.control_port()),
           "--data-port", std::to_string(bench_.data_port())});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("Not mirrored: extended attributes of 2 entries, 2 hard links as separate files, "
                          "1 socket, fifo or device, 1 entry named as server-sync's own"),
            std::string::npos)
      << text.out;
}

}  // namespace
}  // namespace ssync::integration
