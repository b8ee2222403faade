// Mirrors and sources on a file system that can die, freeze, and be reached from two places: FUSE.
#include <sys/mount.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fuse_mount.h"
#include "harness.h"

namespace ssync::integration {
namespace {

using std::chrono::seconds;

std::string fmt_beat(int beat) {
  char text[17];
  std::snprintf(text, sizeof text, "%016x", static_cast<unsigned>(beat));
  return text;
}

/// The mirror (or source) stands below a FUSE mount, in `below`; `other` is a second mount of the same.
class SharedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = FuseMount::missing(); !why.empty()) GTEST_SKIP() << why;
    // A thread that hangs in a frozen file system is left behind on purpose.
    const char* const given = std::getenv("TSAN_OPTIONS");
    ::setenv("TSAN_OPTIONS", (std::string(given == nullptr ? "" : given) + ":report_thread_leaks=0").c_str(),
             1);
    stdfs::create_directory(below_);
    stdfs::create_directory(other_);
  }

  void mount_mirror() {
    mirror_.emplace(below_, bench_.mirror(), std::vector<std::string>{"--multithreaded"});
  }

  void fill(int files, std::size_t bytes) {
    for (int i = 0; i < files; ++i)
      write_file(bench_.source() / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), bytes));
  }

  /// As compare_trees(), but for what is ours and stays in such a mirror. It is not moved aside for that: the
  /// server would find that its lock is gone.
  [[nodiscard]] std::string differences() const {
    std::string found;
    for (const auto& [from, to] : {std::pair(bench_.source(), below_), std::pair(below_, bench_.source())}) {
      const Finished judged = run({"rsync", "-anic", "--delete", "--modify-window=-1",
                                   "--exclude=/.server-sync.state", from.string() + "/", to.string() + "/"});
      found += judged.out + judged.err;
      if (judged.code != 0) found += "rsync ended with " + std::to_string(judged.code) + "\n";
    }
    return found + run({"diff", "-r", "--no-dereference", "--exclude=.server-sync.state",
                        bench_.source().string(), below_.string()})
                       .out;
  }

  void expect_mirrored(const Finished& done) const {
    EXPECT_EQ(done.code, 0) << done.out << done.err;
    EXPECT_EQ(differences(), "");
  }

  [[nodiscard]] std::vector<std::string> other_server() const {
    return {program("server-sync"),
            other_.string(),
            "--control-port",
            "0",
            "--data-port",
            "0",
            "--no-monitor",
            "--state-dir",
            bench_.path("other-state").string()};
  }

  Bench bench_;
  const stdfs::path below_ = bench_.path("below");
  const stdfs::path other_ = bench_.path("other");
  std::optional<FuseMount> mirror_;
};

/// What was under way when it died is aborted, what comes later finds it gone.
auto tells_of_a_dead_mount() {
  return testing::AnyOf(testing::HasSubstr("Transport endpoint is not connected"),
                        testing::HasSubstr("Software caused connection abort"));
}

TEST_F(SharedTest, AMirrorOnFuseIsExactAndASecondSyncDoesNothing) {
  mount_mirror();
  fill(20, 5000);
  stdfs::create_symlink("3", bench_.source() / "link");
  stdfs::create_directory(bench_.source() / "empty");
  set_mtime(bench_.source() / "7", 1'000'000'000, 123'456'789);
  bench_.start_server();
  expect_mirrored(bench_.sync());
  const Finished again = bench_.sync();
  EXPECT_EQ(again.event("sync_done")["transferred_files"], 0) << again.out;
  expect_mirrored(again);
}

TEST_F(SharedTest, AMirrorWhoseMountDiesEndsTheSyncAndTheServerGoesOnWhenItIsBack) {
  mount_mirror();
  fill(300, 400'000);
  bench_.start_server();
  Process client(bench_.client_arguments({"--once"}), {bench_.path("c.out"), bench_.path("c.err")});
  ASSERT_TRUE(eventually([&] {
    return stdfs::exists(below_ / ".server-sync.state") &&
           std::distance(stdfs::directory_iterator(below_), {}) > 2;
  }));
  mirror_->die();
  EXPECT_EQ(client.wait(seconds(20)), 11) << client.out() << client.err();
  EXPECT_THAT(client.err(), tells_of_a_dead_mount());
  EXPECT_NE(client.err().find("mount it again"), std::string::npos) << client.err();

  EXPECT_EQ(bench_.sync().code, 11);
  mirror_->unmount();
  mirror_->mount();
  expect_mirrored(bench_.sync());
}

TEST_F(SharedTest, ASourceWhoseMountDiesEndsTheSyncAndEmptiesNothing) {
  stdfs::create_directory(bench_.path("source"));
  for (int i = 0; i < 300; ++i)
    write_file(below_ / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 400'000));
  FuseMount source(below_, bench_.source());
  bench_.start_server();
  Process client(bench_.client_arguments({"--once"}), {bench_.path("c.out"), bench_.path("c.err")});
  ASSERT_TRUE(eventually([&] { return std::distance(stdfs::directory_iterator(bench_.mirror()), {}) > 2; }));
  source.die();
  EXPECT_EQ(client.wait(seconds(20)), 11) << client.out() << client.err();
  EXPECT_THAT(client.err(), tells_of_a_dead_mount());

  EXPECT_EQ(bench_.sync().code, 11);
  source.unmount();
  source.mount();
  EXPECT_EQ(bench_.sync().code, 0);
  EXPECT_EQ(compare_trees(below_, bench_.mirror()), "");
}

TEST_F(SharedTest, AFrozenMirrorEndsTheSyncAndTheServerGoesOnWhenItAnswersAgain) {
  mount_mirror();
  fill(300, 400'000);
  bench_.start_server();
  Process client(bench_.client_arguments({"--once", "--contimeout", "5"}),
                 {bench_.path("c.out"), bench_.path("c.err")});
  ASSERT_TRUE(eventually([&] { return std::distance(stdfs::directory_iterator(below_), {}) > 2; }));
  mirror_->freeze();
  EXPECT_EQ(client.wait(seconds(40)), 11) << client.out() << client.err();
  EXPECT_NE(client.err().find("does not answer"), std::string::npos) << client.err();

  mirror_->thaw();
  Finished done;
  EXPECT_TRUE(eventually([&] { return (done = bench_.sync()).code == 0; }, seconds(20))) << done.err;
  EXPECT_EQ(differences(), "");
}

TEST_F(SharedTest, AServerCanStopWhileItsMirrorIsFrozen) {
  mount_mirror();
  fill(300, 400'000);
  bench_.start_server();
  Process client(bench_.client_arguments({"--once", "--contimeout", "5"}),
                 {bench_.path("c.out"), bench_.path("c.err")});
  ASSERT_TRUE(eventually([&] { return std::distance(stdfs::directory_iterator(below_), {}) > 2; }));
  mirror_->freeze();
  bench_.server().signal(SIGTERM);
  // What the daemon had taken when it froze cannot be given up, not even by KILL: the process is gone when
  // that is answered. All else it leaves at once.
  std::optional<int> code = bench_.server().wait(seconds(15));
  mirror_->thaw();
  if (!code) code = bench_.server().wait(seconds(10));
  EXPECT_EQ(code, 20);
}

TEST_F(SharedTest, AFrozenSourceEndsTheSyncAtBothEnds) {
  for (int i = 0; i < 300; ++i)
    write_file(below_ / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 400'000));
  FuseMount source(below_, bench_.source());
  bench_.start_server({"--take-over"});  // for the other client, should this one be about to end
  Process client(bench_.client_arguments({"--once", "--contimeout", "5"}),
                 {bench_.path("c.out"), bench_.path("c.err")});
  ASSERT_TRUE(eventually([&] { return std::distance(stdfs::directory_iterator(bench_.mirror()), {}) > 2; }));
  source.freeze();
  EXPECT_TRUE(
      eventually([&] { return client.err().find("does not answer") != std::string::npos; }, seconds(30)))
      << client.err();
  // The server is free for others.
  stdfs::create_directory(bench_.path("else"));
  Finished other;
  EXPECT_TRUE(eventually(
      [&] {
        other = run({program("client-sync"), bench_.path("else").string(), "--once", "-n", "--control-port",
                     std::to_string(bench_.control_port()), "--data-port", std::to_string(bench_.data_port()),
                     "--state-dir", bench_.path("else-state").string()});
        return other.code == 0;
      },
      seconds(20)))
      << other.err;
  std::optional<int> code = client.wait(seconds(10));
  source.thaw();
  if (!code) code = client.wait(seconds(10));
  EXPECT_EQ(code, 11) << client.err();
}

TEST_F(SharedTest, ASecondServerIsRefusedThroughAnotherMountAndTouchesNoStaging) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{},
        std::vector<std::string>{"--multithreaded", "--enable-lock-forwarding"}}) {
    mirror_.emplace(below_, bench_.mirror(), options);
    FuseMount other(below_, other_, options);
    bench_.start_server();
    const std::string staging = ".server-sync.00112233445566778899aabbccddeeff";
    stdfs::create_directory(below_ / staging);
    write_file(below_ / staging / ".server-sync-staging", "");
    const Finished second = run(other_server(), seconds(15));
    EXPECT_EQ(second.code, 5) << second.out << second.err;
    EXPECT_NE(second.err.find("in use by another server"), std::string::npos) << second.err;
    EXPECT_TRUE(stdfs::exists(below_ / staging));
    bench_.stop_server();
    mirror_.reset();
  }
}

TEST_F(SharedTest, AServerThatLostItsLockStopsBeforeItsNextChange) {
  mount_mirror();
  fill(3, 1000);
  bench_.start_server();
  expect_mirrored(bench_.sync());
  std::string lock = read_file(below_ / ".server-sync.state" / "lock");
  const std::size_t epoch = lock.find("epoch ") + 6;
  lock.replace(epoch, 32, std::string(32, '0'));
  write_file(bench_.source() / "new", "new");
  // Another one that lives: its beat moves.
  std::atomic<bool> stop{false};
  std::thread beats([&] {
    for (int beat = 0; !stop; ++beat) {
      lock.replace(lock.find("beat ") + 5, 16, fmt_beat(beat));
      lock.replace(lock.find("state ") + 6, 4, "held");
      write_file(below_ / ".server-sync.state" / "lock", lock);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const Finished refused = bench_.sync({"--contimeout", "2"}, seconds(30));
  stop = true;
  beats.join();
  EXPECT_NE(refused.code, 0) << refused.out << refused.err;
  EXPECT_FALSE(stdfs::exists(below_ / "new"));
}

TEST_F(SharedTest, AnotherMachineKnowsWhoseItIsAndTakesOverWithoutReadingOrSendingAnything) {
  mount_mirror();
  FuseMount other(below_, other_);
  fill(20, 5000);
  bench_.start_server();
  expect_mirrored(bench_.sync());
  const auto since = std::chrono::steady_clock::now();
  bench_.kill_server();

  const Process::Files files{bench_.path("second.out"), bench_.path("second.err")};
  std::vector<std::string> command = other_server();
  command[3] = std::to_string(bench_.control_port());
  command[5] = std::to_string(bench_.data_port());
  Process second(command, files);
  const Finished stranger = bench_.sync({"--source-id", "somebody-else"});
  EXPECT_EQ(stranger.code, 5) << stranger.out << stranger.err;
  const Finished done = bench_.sync();
  EXPECT_LT(std::chrono::steady_clock::now() - since, seconds(10));
  EXPECT_EQ(done.event("sync_done")["transferred_files"], 0) << done.out;
  expect_mirrored(done);
}

TEST_F(SharedTest, WhatAKilledServerStagedIsGoneAfterTheNextSync) {
  mount_mirror();
  fill(100, 400'000);
  bench_.start_server();
  Process client(bench_.client_arguments({"--once"}), {bench_.path("c.out"), bench_.path("c.err")});
  ASSERT_TRUE(eventually([&] { return std::distance(stdfs::directory_iterator(below_), {}) > 2; }));
  bench_.kill_server();
  bench_.start_server();
  (void)client.wait(seconds(60));
  expect_mirrored(bench_.sync());
}

/// Content that waits beside its target, as the staging directory is on another device.
class BesideTest : public ::testing::Test {
 protected:
  void SetUp() override {
    stdfs::create_directories(disk_);
    if (::mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=8m") != 0) GTEST_SKIP() << "cannot mount here";
  }
  void TearDown() override { ::umount2(disk_.c_str(), MNT_DETACH); }

  Bench bench_;
  const stdfs::path disk_ = bench_.mirror() / "disk";
};

TEST_F(BesideTest, WhatWasLeftBelowAMountIsRemovedByTheNextSyncWithoutADelete) {
  stdfs::create_directory(bench_.source() / "disk");
  write_file(bench_.source() / "disk" / "file", "content");
  bench_.start_server();
  ASSERT_EQ(bench_.sync().code, 0);
  write_file(disk_ / ".server-sync.00112233445566778899aabbccddeeff", "half");
  stdfs::create_directory(disk_ / ".server-sync.ffeeddccbbaa99887766554433221100");
  const Finished done = bench_.sync({"--no-delete"});
  EXPECT_EQ(done.code, 0) << done.out << done.err;
  EXPECT_FALSE(stdfs::exists(disk_ / ".server-sync.00112233445566778899aabbccddeeff"));
  EXPECT_TRUE(stdfs::exists(disk_ / ".server-sync.ffeeddccbbaa99887766554433221100"));  // of nobody we know
  const Finished again = bench_.sync();
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_EQ(bench_.differences(), "");
}

}  // namespace
}  // namespace ssync::integration
