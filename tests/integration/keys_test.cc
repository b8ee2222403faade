// Two machines' worth of keys: pairing, rights, and the end of both, with the programs themselves. What is
// reached over 127.0.0.2 is on this machine too, so the server says --require-keys.
#include <sys/stat.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class KeysTest : public testing::Test {
 protected:
  void SetUp() override {
    write_file(bench_.source() / "a", "hello");
    bench_.start_server(server_options());
  }

  std::vector<std::string> server_options() const {
    return {"--require-keys", "--keys-dir", server_keys().string()};
  }
  stdfs::path server_keys() const { return bench_.path("server-keys"); }
  stdfs::path client_keys() const { return bench_.path("client-keys"); }

  Finished server_sync(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program("server-sync"));
    arguments.insert(arguments.end(), {"--keys-dir", server_keys().string(), "--control-port",
                                       std::to_string(bench_.control_port())});
    return run(arguments);
  }
  /// The line that the other machine is to be told.
  std::string invite(const std::vector<std::string>& more = {}, const std::string& name = "laptop") const {
    std::vector<std::string> arguments{"--invite", name, "--host", "localhost"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished invited = server_sync(arguments);
    EXPECT_EQ(invited.code, 0) << invited.err;
    constexpr std::string_view kStart = "client-sync --join ";
    EXPECT_EQ(invited.out.substr(0, kStart.size()), kStart);
    return invited.out.substr(kStart.size(), invited.out.find('\n') - kStart.size());
  }
  Finished join(const std::string& line) const {
    return run(
        {program("client-sync"), "--join", line, "--keys-dir", client_keys().string(), "--contimeout", "10"});
  }
  Finished sync(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--keys-dir", client_keys().string(), "--contimeout", "5"});
    return bench_.sync(more);
  }
  void pair(const std::vector<std::string>& rights = {}) {
    const Finished joined = join(invite(rights));
    ASSERT_EQ(joined.code, 0) << joined.err << bench_.server().err();
  }
  std::string client_file() const { return (server_keys() / "clients.d" / "laptop.toml").string(); }

  Bench bench_;
};

TEST_F(KeysTest, OneLineMakesAnotherMachineAClient) {
  const Finished joined = join(invite());
  ASSERT_EQ(joined.code, 0) << joined.err << bench_.server().err();
  EXPECT_NE(joined.out.find("as 'laptop'"), std::string::npos) << joined.out;
  EXPECT_NE(joined.out.find("client-sync DIR localhost:" + std::to_string(bench_.control_port())),
            std::string::npos)
      << joined.out;
  const Finished done = sync();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(bench_.differences(), "");
  const Finished clients = server_sync({"--clients", "--json"});
  const auto client = clients.event("client");
  EXPECT_EQ(client.value("name", ""), "laptop") << clients.out << clients.err;
  EXPECT_EQ(client.value("rights", ""), "push");
  EXPECT_NE(client.value("last_seen", ""), "");
}

TEST_F(KeysTest, KeysAreForTheirOwnersAlone) {
  pair();
  for (const stdfs::path& path : {server_keys() / "server.key", client_keys() / "client.key"}) {
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 07777U, 0600U) << path;
  }
}

TEST_F(KeysTest, WhoIsNotKnownGetsNothing) {
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("does not know the key of this client"), std::string::npos) << refused.err;
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
}

TEST_F(KeysTest, AnInvitationWorksOnce) {
  const std::string line = invite();
  ASSERT_EQ(join(line).code, 0);
  const Finished again = join(line);
  EXPECT_EQ(again.code, 5) << again.err;
  EXPECT_NE(again.err.find("was used"), std::string::npos) << again.err;
  EXPECT_EQ(sync().code, 0) << "and the first time holds";
}

TEST_F(KeysTest, AnInvitationEndsWithItsTime) {
  const std::string line = invite({"--expires", "1s"});
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const Finished late = join(line);
  EXPECT_EQ(late.code, 5) << late.err;
  EXPECT_FALSE(stdfs::exists(client_keys() / "servers.toml")) << "nothing is changed";
}

TEST_F(KeysTest, ALineWithAnotherServersKeyIsRefused) {
  std::string line = invite();
  const std::string other =
      run({program("server-sync"), "--show-key", "--keys-dir", bench_.path("other").string()})
          .out.substr(0, 64);
  const std::string own = server_sync({"--show-key"}).out.substr(0, 64);
  ASSERT_NE(line.find(own), std::string::npos);
  const std::string good = line;
  line.replace(line.find(own), own.size(), other);
  const Finished refused = join(line);
  EXPECT_NE(refused.code, 0);
  EXPECT_FALSE(stdfs::exists(client_keys() / "servers.toml"));
  EXPECT_EQ(join(good).code, 0) << "the invitation is still good";
  EXPECT_NE(join(line).err.find("is known with another key"), std::string::npos);
}

TEST_F(KeysTest, AServerWithAnotherKeyThanBeforeIsNotTalkedTo) {
  pair();
  ASSERT_EQ(bench_.stop_server(), 20);
  stdfs::remove(server_keys() / "server.key");
  bench_.start_server(server_options());
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_NE(refused.err.find("its key is not"), std::string::npos) << refused.err;
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
}

TEST_F(KeysTest, ARevokedKeysSessionEndsAndItComesBackNoMore) {
  pair();
  Process client(bench_.client_arguments({"--interval", "0.2", "--keys-dir", client_keys().string()}),
                 {bench_.path("client.out"), bench_.path("client.err")});
  ASSERT_TRUE(eventually([&] { return bench_.equal(); }));
  ASSERT_EQ(server_sync({"--revoke", "laptop"}).code, 0);
  EXPECT_TRUE(
      eventually([&] { return client.err().find("key") != std::string::npos; }, std::chrono::seconds(5)))
      << client.err();
  write_file(bench_.source() / "b", "late");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "b"));
  EXPECT_EQ(server_sync({"--revoke", "laptop"}).code, 1) << "there is none any more";
}

TEST_F(KeysTest, ALiveSessionEndsWithinASecondOfItsRevocation) {
  pair();
  // A plan with this many changes takes its time.
  stdfs::create_directory(bench_.source() / "many");
  for (int i = 0; i < 20'000; ++i)
    write_file(bench_.source() / "many" / std::to_string(i), "x");
  Process client(bench_.client_arguments({"--once", "--keys-dir", client_keys().string()}),
                 {bench_.path("client.out"), bench_.path("client.err")});
  ASSERT_TRUE(eventually([&] {
    return bench_.server().out().find("\"sync\"") != std::string::npos ||
           bench_.server().out().find("sync_start") != std::string::npos ||
           stdfs::exists(bench_.mirror() / "many");
  }));
  const bool was_running = client.running();
  ASSERT_EQ(server_sync({"--revoke", "laptop"}).code, 0);
  const auto code = client.wait(std::chrono::seconds(3));
  ASSERT_TRUE(code.has_value());
  if (!was_running) GTEST_SKIP() << "it was over too soon";
  EXPECT_EQ(*code, 5) << client.err();
  EXPECT_NE(client.err().find("not known any more"), std::string::npos) << client.err();
}

TEST_F(KeysTest, AKeyMayLookOnly) {
  pair({"--rights", "look"});
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("may look only"), std::string::npos) << refused.err;
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
  EXPECT_EQ(sync({"-n"}).code, 0);
}

TEST_F(KeysTest, AKeyMayNotDelete) {
  pair({"--rights", "push,no-delete"});
  write_file(bench_.mirror() / "old", "kept");
  const Finished done = sync({"--delete", "--max-delete", "1000"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "old"));
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "a"));
}

TEST_F(KeysTest, AKeyMayDeleteSoMuchAndNoMore) {
  pair({"--rights", "max-delete=1"});
  write_file(bench_.mirror() / "old1", "x");
  write_file(bench_.mirror() / "old2", "x");
  EXPECT_EQ(sync({"--max-delete", "1000"}).code, 25);
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "old1"));
  stdfs::remove(bench_.mirror() / "old2");
  EXPECT_EQ(sync({"--max-delete", "1000"}).code, 0);
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "old1"));
}

TEST_F(KeysTest, AMirrorHoldsNoMoreEntriesThanAKeyAllows) {
  stdfs::create_directory(bench_.source() / "dir");
  write_file(bench_.source() / "dir" / "b", "world");
  pair({"--rights", "max-entries=3"});
  ASSERT_EQ(sync().code, 0);
  write_file(bench_.source() / "c", "one too many");
  write_file(bench_.source() / "a", "changed");
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("would hold 4 entries, and this client's key allows 3 (max-entries)"),
            std::string::npos)
      << refused.err;
  EXPECT_EQ(read_file(bench_.mirror() / "a"), "hello") << "nothing was changed";
  EXPECT_EQ(sync({"-n"}).code, 5);
  stdfs::remove(bench_.source() / "c");
  EXPECT_EQ(sync().code, 0);
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(KeysTest, WhatStaysOnTheMirrorCountsAgainstItsQuota) {
  pair({"--rights", "no-delete,max-bytes=1000"});
  stdfs::create_directories(bench_.mirror() / "kept");
  write_file(bench_.mirror() / "kept" / "old", std::string(900, 'x'));
  EXPECT_EQ(sync().code, 0);
  write_file(bench_.source() / "c", std::string(100, 'y'));
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("(max-bytes)"), std::string::npos) << refused.err;
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "c"));
}

// Copies on the mirror are made before anything is deleted: cut in between, again and again, they would add
// up.
TEST_F(KeysTest, CopiesBesideWhatIsToGoAreWithinTwiceTheQuota) {
  pair({"--rights", "max-bytes=1000"});
  const std::string content = random_bytes(1, 450);
  write_file(bench_.mirror() / "same", content);
  write_file(bench_.mirror() / "left", random_bytes(2, 1400));
  for (const char* name : {"c", "d"})
    write_file(bench_.source() / name, content);
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("before what goes is deleted"), std::string::npos) << refused.err;
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "left"));
  stdfs::remove(bench_.mirror() / "left");
  EXPECT_EQ(sync().code, 0);
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(KeysTest, AFirstCopyOverItsQuotaLeavesNothing) {
  for (int i = 0; i < 5000; ++i)
    write_file(bench_.source() / ("f" + std::to_string(i)), "x");
  pair({"--rights", "max-entries=5000"});
  const Finished refused = sync();
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
}

TEST_F(KeysTest, AKeyMayWatchTheTrafficFromAnotherMachine) {
  ASSERT_EQ(bench_.stop_server(), 20);
  const std::string tap = "tcp://localhost:" + std::to_string(bench_.data_port() + 2);
  std::vector<std::string> options = server_options();
  options.insert(options.end(), {"--monitor", "tcp://127.0.0.1:" + std::to_string(bench_.data_port() + 2)});
  bench_.start_server(options);
  pair({"--rights", "push,monitor"});
  const std::vector<std::string> monitor{program("monitor-sync"),
                                         tap,
                                         "--count",
                                         "3",
                                         "--keys-dir",
                                         client_keys().string(),
                                         "--control-port",
                                         std::to_string(bench_.control_port())};
  Process watching(monitor, {bench_.path("watched"), bench_.path("watching-err")});
  ASSERT_TRUE(eventually([&] { return sync().code == 0 && !watching.running(); })) << watching.err();
  EXPECT_EQ(watching.wait(std::chrono::seconds(1)), 0) << watching.err();
  EXPECT_EQ(std::ranges::count(watching.out(), '\n'), 3) << watching.out();

  write_file(client_file(), [&] {
    std::string text = read_file(client_file());
    return text.replace(text.find(",monitor"), std::string(",monitor").size(), "");
  }());
  ASSERT_TRUE(eventually([&] { return run(monitor).code == 10; }));
  const Finished refused = run(monitor);
  EXPECT_NE(refused.err.find("does not let it monitor"), std::string::npos) << refused.err;
  EXPECT_EQ(sync().code, 0) << "its other rights stay";
}

// A client that is refused does not come back by itself, so it must not be refused by a server that starts.
TEST_F(KeysTest, AServerThatStartsKnowsItsClientsFromTheFirstConnection) {
  pair();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(bench_.stop_server(), 20);
    bench_.start_server(server_options());
    const Finished done = sync();
    EXPECT_EQ(done.code, 0) << done.err;
  }
}

TEST_F(KeysTest, OtherMirrorsDoNotExistForAKey) {
  ASSERT_EQ(bench_.stop_server(), 20);
  std::string config;
  for (const std::string name : {"album", "bank"}) {
    stdfs::create_directory(bench_.path(name));
    config += "[mirror." + name + "]\npath = \"" + bench_.path(name).string() + "\"\n";
  }
  write_file(bench_.path("config.toml"), config);
  std::vector<std::string> options = server_options();
  options.insert(options.end(), {"--config", bench_.path("config.toml").string()});
  bench_.start_server(options);
  pair({"--mirror", "a*"});
  const Finished listed =
      run({program("client-sync"), "--list", "localhost:" + std::to_string(bench_.control_port()),
           "--keys-dir", client_keys().string()});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_NE(listed.out.find("album"), std::string::npos) << listed.out;
  EXPECT_EQ(listed.out.find("bank"), std::string::npos) << listed.out;
  EXPECT_EQ(sync({"--mirror", "album"}).code, 0);
  const Finished refused = sync({"--mirror", "bank"});
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("there are: album"), std::string::npos) << refused.err;
  EXPECT_EQ(sync().code, 5) << "the one without a name is none of its mirrors either";
  EXPECT_TRUE(stdfs::is_empty(bench_.path("bank")));
}

TEST_F(KeysTest, FilesWrittenByHandDoTheSame) {
  const std::string key =
      run({program("client-sync"), "--show-key", "--keys-dir", client_keys().string()}).out.substr(0, 64);
  write_file(client_file(), "key = \"" + key + "\"\n");
  const std::string server = server_sync({"--show-key"}).out.substr(0, 64);
  ASSERT_TRUE(eventually([&] { return sync({"--server-key", server}).code == 0; })) << bench_.server().err();
  EXPECT_EQ(bench_.differences(), "");
}

TEST_F(KeysTest, AFileThatOthersCanWriteLetsNobodyIn) {
  const std::string key =
      run({program("client-sync"), "--show-key", "--keys-dir", client_keys().string()}).out.substr(0, 64);
  write_file(client_file(), "key = \"" + key + "\"\n");
  stdfs::permissions(client_file(), stdfs::perms::group_write, stdfs::perm_options::add);
  EXPECT_TRUE(eventually([&] { return bench_.server().err().find("chmod go-w") != std::string::npos; }));
  EXPECT_EQ(sync({"--server-key", server_sync({"--show-key"}).out.substr(0, 64)}).code, 5);
}

TEST_F(KeysTest, AKeyHasItsMirrorsWhateverItsMachineIsCalled) {
  pair();
  ASSERT_EQ(sync({"--source-id", "one"}).code, 0);
  EXPECT_EQ(sync({"--source-id", "two"}).code, 0) << "the key is the same";
}

TEST_F(KeysTest, TheTokenStandsInNoLog) {
  const std::string line = invite();
  ASSERT_EQ(join(line).code, 0);
  const std::string token = line.substr(line.rfind(':') + 1);
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(bench_.server().out().find(token), std::string::npos);
  EXPECT_EQ(bench_.server().err().find(token), std::string::npos);
  const Finished grepped = run({"grep", "-r", token, server_keys().string(), client_keys().string()});
  EXPECT_EQ(grepped.code, 1) << grepped.out;
}

}  // namespace
}  // namespace ssync::integration
