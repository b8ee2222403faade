// Two machines: a network name space for each, with a cable between them.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

using Words = std::vector<std::string>;
using std::chrono::seconds;

/// The name spaces and the cable; gone with the object.
class Cable {
 public:
  Cable() {
    is_there_ =
        ip({"netns", "add", server_}) && ip({"netns", "add", client_}) &&
        ip({"link", "add", "va", "netns", server_, "type", "veth", "peer", "name", "vb", "netns", client_});
    if (!is_there_) return;
    is_there_ = set_up(server_, "va", "1") && set_up(client_, "vb", "2");
  }
  ~Cable() {
    (void)ip({"netns", "del", server_});
    (void)ip({"netns", "del", client_});
  }
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  [[nodiscard]] bool is_there() const { return is_there_; }
  void plug(bool in) { EXPECT_TRUE(ip({"-n", server_, "link", "set", "va", in ? "up" : "down"})); }
  void set_mtu(const std::string& bytes) {
    EXPECT_TRUE(ip({"-n", server_, "link", "set", "va", "mtu", bytes}));
    EXPECT_TRUE(ip({"-n", client_, "link", "set", "vb", "mtu", bytes}));
  }
  void move_client(const std::string& to) {
    EXPECT_TRUE(ip({"-n", client_, "addr", "del", "10.9.0.2/24", "dev", "vb"}));
    EXPECT_TRUE(ip({"-n", client_, "addr", "add", to, "dev", "vb"}));
  }
  /// What the client sends to this address leaves over the cable.
  void route_client(const std::string& to) {
    EXPECT_TRUE(ip({"-n", client_, "route", "add", to, "via", "10.9.0.1"}));
  }
  /// The command on that machine.
  [[nodiscard]] Words on_server(const Words& command) const { return in(server_, command); }
  [[nodiscard]] Words on_client(const Words& command) const { return in(client_, command); }

 private:
  static bool ip(Words arguments) {
    arguments.insert(arguments.begin(), "ip");
    return run(arguments).code == 0;
  }
  static bool set_up(const std::string& space, const std::string& device, const std::string& number) {
    return ip({"-n", space, "addr", "add", "10.9.0." + number + "/24", "dev", device}) &&
           ip({"-n", space, "link", "set", "lo", "up"}) && ip({"-n", space, "link", "set", device, "up"}) &&
           ip({"-n", space, "addr", "add", "fd00:9::" + number + "/64", "dev", device, "nodad"});
  }
  static Words in(const std::string& space, const Words& command) {
    Words out{"ip", "netns", "exec", space};
    out.insert(out.end(), command.begin(), command.end());
    return out;
  }

  const std::string server_ = "ssync-a-" + std::to_string(::getpid());
  const std::string client_ = "ssync-b-" + std::to_string(::getpid());
  bool is_there_ = false;
};

class NetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || !cable_.is_there()) GTEST_SKIP() << "no network name spaces here";
    write_file(bench_.source() / "a", "hello");
    start_server("*");
  }
  void start_server(const std::string& address) {
    server_.reset();
    stdfs::remove(bench_.path("server.out"));  // what the one before said
    server_ = std::make_unique<Process>(
        cable_.on_server({program("server-sync"), bench_.mirror().string(), "--address", address,
                          "--state-dir", bench_.path("server-state").string(), "--keys-dir",
                          bench_.path("server-keys").string()}),
        Process::Files{bench_.path("server.out"), bench_.path("server.err")});
    ASSERT_TRUE(eventually([&] { return server_->out().find("Listening") != std::string::npos; }))
        << server_->err();
  }
  /// Pairs both machines; `host` is what the client calls the server.
  void pair(const std::string& host) {
    const Finished invited =
        run(cable_.on_server({program("server-sync"), "--invite", "laptop", "--host", host, "--address", "*",
                              "--keys-dir", bench_.path("server-keys").string()}));
    ASSERT_EQ(invited.code, 0) << invited.err;
    const std::string line = invited.out.substr(invited.out.find("ssync1:"));
    const Finished joined =
        run(cable_.on_client({program("client-sync"), "--join", line, "--keys-dir", client_keys()}));
    ASSERT_EQ(joined.code, 0) << joined.err << server_->out() << server_->err();
  }
  [[nodiscard]] std::string client_keys() const { return bench_.path("client-keys").string(); }
  [[nodiscard]] Words client(const std::string& host, const Words& more) const {
    Words out{program("client-sync"),
              bench_.source().string(),
              host,
              "--keys-dir",
              client_keys(),
              "--state-dir",
              bench_.path("client-state").string()};
    out.insert(out.end(), more.begin(), more.end());
    return cable_.on_client(out);
  }
  void expect_sync(const std::string& host) {
    const Finished done = run(client(host, {"--once"}));
    EXPECT_EQ(done.code, 0) << done.err << server_->err();
    EXPECT_EQ(bench_.differences(), "");
  }

  Bench bench_;
  Cable cable_;
  std::unique_ptr<Process> server_;
};

TEST_F(NetworkTest, TwoCommandsMakeAnEncryptedMirror) {
  pair("10.9.0.1");
  expect_sync("10.9.0.1");
  write_file(bench_.source() / "b", std::string(3'000'000, 'x'));
  cable_.set_mtu("1280");
  expect_sync("10.9.0.1");
}

TEST_F(NetworkTest, OverIpv6Alone) {
  start_server("[fd00:9::1]");
  pair("fd00:9::1");
  expect_sync("[fd00:9::1]");
}

TEST_F(NetworkTest, WithoutAKeyNothingIsSent) {
  const Finished refused = run(client("10.9.0.1", {"--once", "--contimeout=5"}));
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("--invite"), std::string::npos) << refused.err;
  const Finished insecure = run(client("10.9.0.1", {"--once", "--contimeout=2", "--insecure"}));
  EXPECT_EQ(insecure.code, 10) << insecure.err;
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
}

TEST_F(NetworkTest, GoesOnAfterTheCableWasOutAndAfterTheClientMoved) {
  pair("10.9.0.1");
  Process running(client("10.9.0.1", {"--interval", "0.3"}),
                  {bench_.path("client.out"), bench_.path("client.err")});
  ASSERT_TRUE(eventually([&] { return bench_.equal(); }));
  cable_.plug(false);
  write_file(bench_.source() / "while-out", "x");
  std::this_thread::sleep_for(seconds(5));
  EXPECT_FALSE(bench_.equal());
  cable_.plug(true);
  EXPECT_TRUE(eventually([&] { return bench_.equal(); }, seconds(40))) << running.err();
  cable_.move_client("10.9.0.3/24");
  write_file(bench_.source() / "moved", "x");
  EXPECT_TRUE(eventually([&] { return bench_.equal(); }, seconds(40))) << running.err();
}

// Neither end knows the address that the other one has there.
TEST_F(NetworkTest, BehindAnotherAddress) {
  const auto nft = [&](const std::string& rule) { return run(cable_.on_client({"nft", rule})).code == 0; };
  if (!nft("add table ip away") || !nft("add chain ip away out { type nat hook output priority -100; }") ||
      !nft("add rule ip away out ip daddr 192.0.2.10 dnat to 10.9.0.1")) {
    GTEST_SKIP() << "no translation of addresses here";
  }
  cable_.route_client("192.0.2.10");
  pair("192.0.2.10");
  expect_sync("192.0.2.10");
  write_file(bench_.source() / "later", "x");
  expect_sync("192.0.2.10");
}

class ClockTest : public testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  /// The command on a machine whose clock is wrong by so much.
  static Words at(const char* offset, Words command) {
    const Words before{"env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", offset};
    command.insert(command.begin(), before.begin(), before.end());
    return command;
  }
};

TEST_P(ClockTest, TheClockOfEitherMachineMayBeWrong) {
  const char* const server_clock = GetParam().first;
  const char* const client_clock = GetParam().second;
  Bench bench;
  if (run(at("+1d", {"true"})).code != 0) GTEST_SKIP() << "no faketime here";
  write_file(bench.source() / "a", "hello");
  const std::string server_keys = bench.path("server-keys").string();
  const std::string client_keys = bench.path("client-keys").string();
  bench.start_server();  // for its ports
  ASSERT_EQ(bench.stop_server(), 20);
  const Words ports{"--control-port", std::to_string(bench.control_port())};
  const auto server = [&](Words more) {
    more.insert(more.begin(), program("server-sync"));
    more.insert(more.end(), {"--keys-dir", server_keys});
    more.insert(more.end(), ports.begin(), ports.end());
    return at(server_clock, more);
  };
  const auto client = [&](Words more) {
    more.insert(more.begin(), program("client-sync"));
    more.insert(more.end(), {"--keys-dir", client_keys});
    return at(client_clock, more);
  };
  Process running(
      server({bench.mirror().string(), "--require-keys", "--state-dir", bench.path("server-state").string(),
              "--data-port", std::to_string(bench.data_port())}),
      {bench.path("server.out"), bench.path("server.err")});
  ASSERT_TRUE(eventually([&] { return running.out().find("Listening") != std::string::npos; }));
  const Finished invited = run(server({"--invite", "laptop", "--host", "localhost"}));
  ASSERT_EQ(invited.code, 0) << invited.err;
  const Finished joined = run(client({"--join", invited.out.substr(invited.out.find("ssync1:"))}));
  ASSERT_EQ(joined.code, 0) << joined.err << running.err();
  for (int round = 0; round < 3; ++round) {
    const Finished done =
        run(client({bench.source().string(), "localhost:" + std::to_string(bench.control_port()),
                    "--state-dir", bench.path("client-state").string(), "--once"}));
    EXPECT_EQ(done.code, 0) << done.err << running.err();
    EXPECT_EQ(bench.differences(), "");
    write_file(bench.source() / "a", "round " + std::to_string(round));
  }
  running.signal(SIGTERM);
  (void)running.wait(std::chrono::seconds(10));
}

INSTANTIATE_TEST_SUITE_P(Clocks, ClockTest,
                         testing::Values(std::pair{"+400d", "-400d"}, std::pair{"-400d", "+400d"}));

}  // namespace
}  // namespace ssync::integration
