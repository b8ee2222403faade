// A sync with --once ends, whatever is wrong, and a source keeps its name.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

using std::chrono::seconds;

class OnceTest : public ::testing::Test {
 protected:
  Finished timed_sync(const std::vector<std::string>& more) {
    const auto begin = std::chrono::steady_clock::now();
    Finished finished = bench_.sync(more);
    took_ = std::chrono::steady_clock::now() - begin;
    return finished;
  }

  Bench bench_;
  std::chrono::nanoseconds took_{};
};

TEST_F(OnceTest, EndsWhenTheMirrorIsGoneForGood) {
  write_file(bench_.source() / "a", "a");
  bench_.start_server();
  stdfs::remove(bench_.mirror());
  const Finished failed = timed_sync({"--contimeout=2"});
  EXPECT_EQ(failed.code, 11) << failed.err;
  EXPECT_NE(failed.err.find("No such file or directory"), std::string::npos) << failed.err;
  EXPECT_LT(took_, seconds(20)) << "it was tried again for ever";
  bench_.stop_server();
}

TEST_F(OnceTest, EndsAtOnceWhenTheMirrorBelongsToAnother) {
  write_file(bench_.source() / "a", "a");
  bench_.start_server();
  bench_.expect_sync({"--source-id=first"});
  const Finished refused = timed_sync({"--source-id=second", "--contimeout=60"});
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("--take-over"), std::string::npos) << refused.err;
  EXPECT_LT(took_, seconds(30));
  bench_.stop_server();
}

TEST_F(OnceTest, EndsAtOnceWhenTheServerIsAnotherUsers) {
  write_file(bench_.source() / "a", "a");
  if (!bench_.run_as_ordinary_user() || geteuid() != 0) GTEST_SKIP() << "only root can be two users";
  bench_.start_server();
  std::vector<std::string> client = bench_.client_arguments({"--once", "--contimeout=60"});
  while (!client.empty() && client.front().find("client-sync") == std::string::npos)
    client.erase(client.begin());  // what makes it the ordinary user's
  const auto begin = std::chrono::steady_clock::now();
  const Finished refused = run(client);
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("belongs to user"), std::string::npos) << refused.err;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(30));
  bench_.stop_server();
}

// A container has no machine id, and another host name after each start.
TEST_F(OnceTest, AContainerIsTheSameSourceAfterItsRestart) {
  if (geteuid() != 0) GTEST_SKIP() << "other name spaces need root";
  write_file(bench_.source() / "a", "a");
  bench_.start_server();
  const auto sync_in_container = [&](const std::string& host) {
    std::string command = "hostname " + host +
                          " && for f in /etc/machine-id /var/lib/dbus/machine-id; do"
                          " [ ! -e $f ] || mount --bind /dev/null $f || exit 77; done && exec";
    for (const std::string& argument : bench_.client_arguments({"--once"}))
      command += " '" + argument + "'";
    return run({"unshare", "--uts", "--mount", "sh", "-c", command});
  };
  const Finished first = sync_in_container("3f2a9c1d");
  if (first.code == 77 || first.code == 1) GTEST_SKIP() << "no other name spaces here: " << first.err;
  ASSERT_EQ(first.code, 0) << first.err;
  write_file(bench_.source() / "b", "b");
  const Finished second = sync_in_container("77b0e4aa");
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_TRUE(bench_.equal());
  bench_.stop_server();
}

}  // namespace
}  // namespace ssync::integration
