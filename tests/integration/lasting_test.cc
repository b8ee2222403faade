// What must not end a sync or make it wrong: an index that is not to be had, few descriptors, roots that
// somebody made anew or led elsewhere, state and logs inside a tree.
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class LastingTest : public ::testing::Test {
 protected:
  std::vector<std::string> client(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{program("client-sync"),
                                       bench_.source().string(),
                                       "--once",
                                       "--json",
                                       "--control-port",
                                       std::to_string(bench_.control_port()),
                                       "--data-port",
                                       std::to_string(bench_.data_port())};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  Bench bench_;
};

class Mount {
 public:
  Mount(const stdfs::path& at, const char* options) : path_(at) {
    good_ = ::mount("tmpfs", at.c_str(), "tmpfs", 0, options) == 0;
  }
  ~Mount() { leave(); }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  void leave() {
    if (std::exchange(good_, false)) ::umount2(path_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  stdfs::path path_;
  bool good_ = false;
};

TEST_F(LastingTest, AnIndexThatIsNotToBeHadIsDoneWithoutOnBothEnds) {
  write_file(bench_.source() / "a", "a");
  write_file(bench_.path("server-state"), "a file in the place of the directory");
  write_file(bench_.path("no-state"), "here too");
  bench_.start_server();
  const auto state = std::vector<std::string>{"--state-dir", bench_.path("no-state").string()};
  for (const char* const text : {"a", "another"}) {
    write_file(bench_.source() / "a", text);
    const Finished synced = run(client(state));
    EXPECT_EQ(synced.code, 0) << synced.out << synced.err;
    EXPECT_NE(synced.err.find("the index cannot be used"), std::string::npos) << synced.err;
    EXPECT_EQ(bench_.differences(), "");
  }
  const std::string said = bench_.server().err();
  EXPECT_NE(said.find("the index cannot be used"), std::string::npos) << said;
  EXPECT_EQ(said.find("the index cannot be used", said.find("the index cannot be used") + 1),
            std::string::npos)
      << "said more than once: " << said;
}

TEST_F(LastingTest, AFullStateDiskCostsOnlyTheIndexAndIsOverWhenThereIsRoom) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  const stdfs::path state = bench_.path("full-state");
  stdfs::create_directory(state);
  const Mount disk(state, "size=64k");
  if (!disk.good()) GTEST_SKIP() << "this machine does not let us mount a tmpfs";
  for (int i = 0; i < 20; ++i)
    stdfs::create_directory(bench_.source() / std::to_string(i));
  for (int i = 0; i < 2000; ++i)
    write_file(bench_.source() / std::to_string(i % 20) / ("a-name-of-some-length-" + std::to_string(i)),
               "x");
  bench_.start_server();
  const Finished full = run(client({"--state-dir", state.string()}));
  EXPECT_EQ(full.code, 0) << full.out << full.err;
  EXPECT_NE(full.err.find("the index cannot be used"), std::string::npos) << full.err;
  EXPECT_EQ(bench_.differences(), "");
  ASSERT_EQ(::mount("tmpfs", state.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  const Finished room = run(client({"--state-dir", state.string()}));
  EXPECT_EQ(room.code, 0) << room.err;
  EXPECT_EQ(room.err.find("the index cannot be used"), std::string::npos) << room.err;
}

// An index that stays as it was tells of older stats: no later edit of the same size may be taken for known.
TEST_F(LastingTest, AnIndexThatCannotBeReplacedHidesNoEdit) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  for (const bool read_only : {false, true}) {
    SCOPED_TRACE(read_only);
    const stdfs::path client_state = bench_.path("tmp-client-state");
    const stdfs::path server_state = bench_.path("server-state");
    stdfs::create_directories(client_state);
    stdfs::create_directories(server_state);
    const Mount client_disk(client_state, "size=256k");
    const Mount server_disk(server_state, "size=256k");
    if (!client_disk.good() || !server_disk.good())
      GTEST_SKIP() << "this machine does not let us mount a tmpfs";
    for (const char* const name : {"z", "sub"})
      stdfs::remove_all(bench_.source() / name);
    stdfs::create_directory(bench_.source() / "sub");
    const auto edit = [&](const std::string& text) {
      write_file(bench_.source() / "z", text);
      write_file(bench_.source() / "sub/y", text);
      std::this_thread::sleep_for(
          std::chrono::milliseconds(30));  // so that the files are old enough to be known
    };
    edit("z000");
    bench_.start_server();
    EXPECT_EQ(run(client({"--state-dir", client_state.string()})).code, 0);
    bench_.stop_server();
    if (read_only) {
      ASSERT_EQ(::mount("tmpfs", client_state.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
      ASSERT_EQ(::mount("tmpfs", server_state.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
    } else {
      EXPECT_NE(run({"dd", "if=/dev/zero", "of=" + (client_state / "fill").string(), "bs=1k"}).code, 0);
      EXPECT_NE(run({"dd", "if=/dev/zero", "of=" + (server_state / "fill").string(), "bs=1k"}).code, 0);
    }
    bench_.start_server();
    for (const char* const text : {"z111", "z222", "z333"}) {
      edit(text);
      const Finished done = run(client({"--state-dir", client_state.string()}));
      EXPECT_EQ(done.code, 0) << done.out << done.err;
      EXPECT_NE(done.err.find("the index cannot be used"), std::string::npos) << done.err;
      EXPECT_EQ(read_file(bench_.mirror() / "z"), text);
      EXPECT_EQ(read_file(bench_.mirror() / "sub/y"), text);
    }
    bench_.stop_server();
  }
}

TEST_F(LastingTest, StateAndLogInsideTheSourceAreNoPartOfIt) {
  const stdfs::path state = bench_.source() / ".local/state/server-sync";
  const stdfs::path log = bench_.source() / "sync.log";
  stdfs::create_directories(state);
  write_file(bench_.source() / "doc", "doc");
  bench_.start_server();
  Finished last;
  for (int i = 0; i < 3; ++i) {
    last = run(client({"--state-dir", state.string(), "--log-file", log.string()}));
    EXPECT_EQ(last.code, 0) << last.err;
  }
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "sync.log"));
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / ".local/state/server-sync"));
  EXPECT_EQ(read_file(bench_.mirror() / "doc"), "doc");
  const std::string text = read_file(log);
  EXPECT_NE(text.rfind("\"transferred_files\":0"), std::string::npos) << text;
  EXPECT_GT(text.rfind("\"transferred_files\":0"), text.rfind("\"transferred_files\":1")) << text;
}

class StateInMirrorTest : public LastingTest, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(At, StateInMirrorTest, ::testing::Values("state", "extra/deeper/state"),
                         [](const auto& at) {
                           return std::string(at.index == 0 ? "Root" : "ExtraDirectory");
                         });

TEST_P(StateInMirrorTest, StateAndLogInsideTheMirrorAreProtected) {
  const stdfs::path log = bench_.mirror() / "server.log";
  const stdfs::path state = bench_.mirror() / GetParam();
  stdfs::create_directories(state);
  stdfs::create_directories(bench_.mirror() / "extra");
  write_file(bench_.mirror() / "extra/old", "old");
  write_file(bench_.source() / "a", "a");
  const Process server(
      {program("server-sync"), bench_.mirror().string(), "--json", "--no-monitor", "--control-port", "0",
       "--data-port", "0", "--state-dir", state.string(), "--log-file", log.string()},
      {bench_.path("server.out"), bench_.path("server.err")});
  const auto port = [&](const std::string& name) {
    const std::string text = read_file(log);
    const std::size_t at = text.find("\"" + name + "\":");
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + name.size() + 3));
  };
  ASSERT_TRUE(eventually([&] { return stdfs::exists(log) && port("data_port") != 0; })) << server.err();
  for (int i = 0; i < 2; ++i) {
    const Finished synced =
        run({program("client-sync"), bench_.source().string(), "--once", "--control-port",
             std::to_string(port("control_port")), "--data-port", std::to_string(port("data_port")),
             "--state-dir", bench_.path("client-state").string()});
    EXPECT_EQ(synced.code, 0) << synced.err;
    EXPECT_EQ(synced.err, "");
  }
  EXPECT_TRUE(stdfs::exists(log));
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "extra/old"));
  EXPECT_FALSE(stdfs::is_empty(state));
}

TEST_F(LastingTest, ASourceNamedByALinkIsHeldWhenItsDiskIsNotMounted) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  const stdfs::path disk = bench_.path("disk");
  stdfs::create_directory(disk);
  Mount mounted(disk, "size=1m");
  if (!mounted.good()) GTEST_SKIP() << "this machine does not let us mount a tmpfs";
  stdfs::remove_all(bench_.source());
  stdfs::create_directory_symlink(disk, bench_.source());
  for (int i = 0; i < 60; ++i)
    write_file(disk / std::to_string(i), "precious");
  bench_.start_server();
  ASSERT_EQ(bench_.sync().code, 0);
  mounted.leave();
  const Finished held = bench_.sync();
  EXPECT_EQ(held.code, 25) << held.out << held.err;
  EXPECT_NE(held.err.find("--accept-root"), std::string::npos) << held.err;
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "59"));
  // Whoever leads the link elsewhere means it.
  const stdfs::path next = bench_.path("next");
  stdfs::create_directory(next);
  write_file(next / "0", "precious");
  stdfs::remove(bench_.source());
  stdfs::create_directory_symlink(next, bench_.source());
  const Finished led = bench_.sync({"--max-delete", "100"});
  EXPECT_EQ(led.code, 0) << led.err;
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "59"));
}

TEST_F(LastingTest, ARootThatWasMadeAnewAtItsPathIsTheSameSource) {
  write_file(bench_.source() / "old", "old");
  bench_.start_server();
  bench_.expect_sync();
  stdfs::rename(bench_.source(), bench_.path("gone"));
  stdfs::create_directory(bench_.source());
  write_file(bench_.source() / "new", "new");
  bench_.expect_sync();
}

TEST_F(LastingTest, ForeignLinksOnTheWayAreRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "giving a link away needs root";
  const stdfs::path link = bench_.path("link");
  stdfs::create_directory_symlink(bench_.mirror(), link);
  ASSERT_EQ(::lchown(link.c_str(), 65534, 65534), 0);
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const Finished ended = run(arguments);
    EXPECT_NE(ended.code, 0) << ended.out;
    EXPECT_NE(ended.err.find("belongs to user 65534"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find(link.string()), std::string::npos) << ended.err;
  };
  const std::string state = bench_.path("s").string();
  refused({program("server-sync"), link.string(), "--control-port", "0", "--data-port", "0", "--state-dir",
           state});
  refused({program("client-sync"), (link / "below").string(), "--once", "--state-dir", state});
  refused(
      {program("client-sync"), bench_.source().string(), "--once", "--state-dir", (link / "state").string()});
  refused({program("client-sync"), bench_.source().string(), "--once", "--state-dir", state, "--log-file",
           (link / "log").string()});
}

TEST_F(LastingTest, FewDescriptorsSufficeOrAreSaid) {
  for (int i = 0; i < 60; ++i) {
    stdfs::create_directories(bench_.source() / ("d" + std::to_string(i)) / "e");
    for (int j = 0; j < 4; ++j)
      write_file(bench_.source() / ("d" + std::to_string(i)) / "e" / std::to_string(j),
                 std::to_string(i * j));
  }
  for (int i = 0; i < 4; ++i)
    write_file(bench_.source() / ("big" + std::to_string(i)),
               random_bytes(static_cast<std::uint64_t>(i), 3 << 20));
  const auto with_limit = [](int limit, const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"/bin/sh", "-c", "ulimit -n " + std::to_string(limit) + " && exec \"$@\"",
                                 "sh"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  };
  bench_.start_server();
  const std::vector<std::string> arguments = client({"--state-dir", bench_.path("few-state").string()});
  const Finished synced = run(with_limit(40, arguments));
  EXPECT_EQ(synced.code, 0) << synced.out << synced.err;
  EXPECT_EQ(bench_.differences(), "");
  const Finished too_few = run(with_limit(12, arguments));
  EXPECT_EQ(too_few.code, 5) << too_few.err;
  EXPECT_NE(too_few.err.find("ulimit -n"), std::string::npos) << too_few.err;
}

}  // namespace
}  // namespace ssync::integration
