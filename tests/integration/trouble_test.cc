// Servers that go away, clients that share, disks that fill up, taps that watch, strangers that talk
// nonsense.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class TroubleTest : public ::testing::Test {
 protected:
  Bench bench_;
};

/// Every regular file below `mirror` that also is in `source` under the same name must be whole.
std::string half_files(const stdfs::path& source, const stdfs::path& mirror) {
  std::string found;
  for (const auto& entry : stdfs::recursive_directory_iterator(mirror)) {
    const stdfs::path relative = entry.path().lexically_relative(mirror);
    if (relative.string().starts_with(".server-sync.") || !entry.is_regular_file()) continue;
    if (read_file(entry.path()) != read_file(source / relative)) found += relative.string() + "\n";
  }
  return found;
}

TEST_F(TroubleTest, AServerKilledInMidTransferLeavesNoHalfFileAndTheSyncGoesOnWhenItIsBack) {
  for (int i = 0; i < 200; ++i)
    write_file(bench_.source() / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 400'000));
  bench_.start_server();
  Process client(bench_.client_arguments({"--interval", "0.2"}),
                 {bench_.path("client.out"), bench_.path("client.err")});
  const auto arrived = [&] {
    return std::distance(stdfs::directory_iterator(bench_.mirror()), stdfs::directory_iterator());
  };
  for (int kills = 0; kills < 3; ++kills) {
    ASSERT_TRUE(eventually([&] { return arrived() > 1; })) << client.err();
    bench_.kill_server();
    EXPECT_EQ(half_files(bench_.source(), bench_.mirror()), "");
    bench_.start_server();
  }
  EXPECT_TRUE(eventually([&] { return bench_.equal(); }, std::chrono::seconds(40)))
      << client.out() << client.err() << bench_.differences();
  client.signal(SIGTERM);
  EXPECT_EQ(client.wait(std::chrono::seconds(10)), 20);
}

TEST_F(TroubleTest, AClientKilledInMidTransferIsNoTroubleForTheNext) {
  for (int i = 0; i < 100; ++i)
    write_file(bench_.source() / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 400'000));
  bench_.start_server();
  {
    Process client(bench_.client_arguments({"--once"}),
                   {bench_.path("client.out"), bench_.path("client.err")});
    ASSERT_TRUE(eventually([&] { return !stdfs::is_empty(bench_.mirror()); }));
  }
  EXPECT_EQ(half_files(bench_.source(), bench_.mirror()), "");
  bench_.expect_sync();
}

TEST_F(TroubleTest, TwoClientsOfOneSourceTakeTurns) {
  for (int i = 0; i < 100; ++i)
    write_file(bench_.source() / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 200'000));
  bench_.start_server();
  const auto arguments = [&](const std::string& state) {
    return std::vector<std::string>{program("client-sync"),
                                    bench_.source().string(),
                                    "--once",
                                    "--state-dir",
                                    bench_.path(state).string(),
                                    "--control-port",
                                    std::to_string(bench_.control_port()),
                                    "--data-port",
                                    std::to_string(bench_.data_port())};
  };
  Process one(arguments("one"), {bench_.path("1.out"), bench_.path("1.err")});
  Process two(arguments("two"), {bench_.path("2.out"), bench_.path("2.err")});
  EXPECT_EQ(one.wait(std::chrono::seconds(30)), 0) << one.out() << one.err();
  EXPECT_EQ(two.wait(std::chrono::seconds(30)), 0) << two.out() << two.err();
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(TroubleTest, AFullDiskIsSaidAndTheRestStaysRight) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  if (mount("tmpfs", bench_.mirror().c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "this machine does not let us mount a tmpfs";
  struct Unmount {
    stdfs::path path;
    ~Unmount() { umount2(path.c_str(), MNT_DETACH); }
  } unmount{bench_.mirror()};
  write_file(bench_.source() / "small", "fits");
  bench_.start_server();
  bench_.expect_sync();
  write_file(bench_.source() / "big", random_bytes(1, 8 << 20));
  write_file(bench_.source() / "small", "fits too");
  const Finished full = bench_.sync();
  EXPECT_EQ(full.code, 23) << full.out << full.err;
  EXPECT_NE(full.err.find("No space left on device"), std::string::npos) << full.err;
  EXPECT_EQ(read_file(bench_.mirror() / "small"), "fits too");
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "big"));
  stdfs::remove(bench_.source() / "big");
  bench_.expect_sync();
  bench_.stop_server();
}

TEST_F(TroubleTest, AReadOnlyMirrorIsSaidAndLeftAsItWas) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  write_file(bench_.mirror() / "old", "old");
  if (mount(bench_.mirror().c_str(), bench_.mirror().c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "this machine does not let us mount";
  struct Unmount {
    stdfs::path path;
    ~Unmount() { umount2(path.c_str(), MNT_DETACH); }
  } unmount{bench_.mirror()};
  ASSERT_EQ(mount(nullptr, bench_.mirror().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  write_file(bench_.source() / "new", "new");
  bench_.start_server();
  const Finished failed = bench_.sync({"--contimeout=1"});
  EXPECT_NE(failed.code, 0);
  EXPECT_NE(failed.err.find("Read-only file system"), std::string::npos) << failed.err;
  EXPECT_EQ(read_file(bench_.mirror() / "old"), "old");
  bench_.stop_server();
}

TEST_F(TroubleTest, NonsenseOnBothPortsDisturbsNobody) {
  bench_.start_server();
  const auto shout = [](std::uint16_t port, const std::string& bytes) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    (void)!send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::close(fd);
  };
  for (int i = 0; i < 20; ++i) {
    for (const std::uint16_t port : {bench_.control_port(), bench_.data_port()}) {
      shout(port, random_bytes(static_cast<std::uint64_t>(i), 1 << (i % 14)));
      shout(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      shout(port, std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11) +
                      random_bytes(static_cast<std::uint64_t>(i), 500));
    }
    write_file(bench_.source() / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 1000));
    bench_.expect_sync();
  }
}

TEST_F(TroubleTest, TheTapShowsTheTraffic) {
  bench_.start_server();
  Process monitor(
      {program("monitor-sync"), "--json", "--control-port", std::to_string(bench_.control_port())},
      {bench_.path("monitor.out"), bench_.path("monitor.err")},
      {"XDG_RUNTIME_DIR=" + bench_.path("").string()});
  write_file(bench_.source() / "watched", "watched content, never shown");
  const bool seen = eventually([&] {
    bench_.expect_sync();
    const std::string out = monitor.out();
    return out.find("\"hello\"") != std::string::npos && out.find("\"sync:done\"") != std::string::npos;
  });
  EXPECT_TRUE(seen) << monitor.out() << monitor.err();
  write_file(bench_.source() / "second", "second content, never shown");
  bench_.expect_sync();
  for (const char* type : {"filelist", "filerequest", "plan", "next"}) {
    EXPECT_TRUE(eventually([&] {
      return monitor.out().find(std::string("\"") + type + "\"") != std::string::npos;
    })) << type
        << monitor.out();
  }
  EXPECT_EQ(monitor.out().find("never shown"), std::string::npos);
  monitor.signal(SIGTERM);
  EXPECT_EQ(monitor.wait(std::chrono::seconds(10)), 20);
}

// Each changed file has the old size of another, so each is looked for in the mirror before it is requested:
// a question to the client for each. They must not travel one by one.
TEST_F(TroubleTest, QuestionsAboutContentsTravelTogether) {
  constexpr std::size_t kFiles = 1200;
  const auto write_files = [&](std::uint64_t seed, std::size_t shift) {
    for (std::size_t i = 0; i < kFiles; ++i)
      write_file(bench_.source() / std::to_string(i), random_bytes(seed + i, 1 + (i + shift) % kFiles));
  };
  write_files(1, 0);
  bench_.start_server();
  bench_.expect_sync();
  Process monitor(
      {program("monitor-sync"), "--json", "--control-port", std::to_string(bench_.control_port())},
      {bench_.path("monitor.out"), bench_.path("monitor.err")},
      {"XDG_RUNTIME_DIR=" + bench_.path("").string()});
  ASSERT_TRUE(eventually([&] {
    bench_.expect_sync();
    return monitor.out().find("\"sync:done\"") != std::string::npos;
  })) << monitor.err();
  const auto count = [&](std::string_view type) {
    const std::string out = monitor.out();
    int found = 0;
    for (std::size_t at = out.find(type); at != std::string::npos; at = out.find(type, at + 1))
      ++found;
    return found;
  };
  const int dones = count("\"sync:done\"");
  const int before = count("\"digestrequest\"");
  write_files(5000, 1);
  bench_.expect_sync();
  ASSERT_TRUE(eventually([&] { return count("\"sync:done\"") > dones; }));
  const int messages = count("\"digestrequest\"") - before;
  EXPECT_GT(messages, 0);
  EXPECT_LT(messages, 100) << "for " << kFiles << " files";
}

TEST_F(TroubleTest, AStoppedMonitorSlowsNothing) {
  bench_.start_server();
  Process monitor({program("monitor-sync"), "--control-port", std::to_string(bench_.control_port())},
                  {bench_.path("monitor.out"), bench_.path("monitor.err")},
                  {"XDG_RUNTIME_DIR=" + bench_.path("").string()});
  ASSERT_TRUE(eventually([&] {
    bench_.expect_sync();
    return !monitor.out().empty();
  }));
  monitor.signal(SIGSTOP);
  for (int i = 0; i < 500; ++i)
    write_file(bench_.source() / std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 2000));
  bench_.expect_sync();
  monitor.signal(SIGCONT);
}

TEST_F(TroubleTest, TheListeningLineIsTheFirstAndASignalEndsWithTwenty) {
  bench_.start_server();
  const std::string out = bench_.server().out();
  EXPECT_TRUE(out.starts_with("{\"event\":\"listening\"")) << out;
  EXPECT_EQ(bench_.stop_server(), 20);
}

TEST_F(TroubleTest, FilesThatChangeWhileTheyAreSentEndUpWhole) {
  const stdfs::path log = bench_.source() / "log";
  write_file(log, random_bytes(1, 20'000'000));
  bench_.start_server();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    std::ofstream out(log, std::ios::app | std::ios::binary);
    while (!stop) {
      out << "one more line of a log that never ends\n" << std::flush;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const Finished done = bench_.sync();
    EXPECT_TRUE(done.code == 0 || done.code == 23) << done.code << done.err;
    const std::string mirrored = read_file(bench_.mirror() / "log");
    EXPECT_EQ(read_file(log).substr(0, mirrored.size()), mirrored);
  }
  stop = true;
  writer.join();
  bench_.expect_sync();
}

}  // namespace
}  // namespace ssync::integration
