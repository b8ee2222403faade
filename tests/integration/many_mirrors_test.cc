// One server, several mirrors, several clients.
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fuse_mount.h"
#include "harness.h"

namespace ssync::integration {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class ManyMirrorsTest : public ::testing::Test {
 protected:
  struct Mirror {
    std::string name;
    std::string more;  ///< further lines of its table
  };

  [[nodiscard]] stdfs::path mirror(const std::string& name) const {
    return directory_.path() / "mirrors" / name;
  }
  [[nodiscard]] stdfs::path source(const std::string& name) const {
    return directory_.path() / "sources" / name;
  }

  void configure(const std::vector<Mirror>& mirrors, const std::string& settings = "") {
    std::string text = "control-port = " + std::to_string(control_port_) +
                       "\ndata-port = " + std::to_string(data_port_) + "\njson = true\n" + tap_ + settings +
                       "state-dir = \"" + (directory_.path() / "state").string() + "\"\n";
    for (const Mirror& one : mirrors) {
      stdfs::create_directories(mirror(one.name));
      text += "[mirror." + one.name + "]\npath = \"" + mirror(one.name).string() + "\"\n" + one.more;
    }
    write_file(config(), text);
  }

  void start(const std::vector<Mirror>& mirrors, const std::string& settings = "") {
    configure(mirrors, settings);
    server_ = std::make_unique<Process>(
        std::vector<std::string>{program("server-sync"), "--config", config().string()},
        Process::Files{directory_.path() / "server.out", directory_.path() / "server.err"});
    nlohmann::json listening;
    ASSERT_TRUE(eventually([&] {
      listening = log().event("listening");
      return listening.contains("control_port") || !server_->running();
    }));
    ASSERT_TRUE(listening.contains("control_port")) << server_->err();
    control_port_ = listening.at("control_port").get<int>();
    data_port_ = listening.at("data_port").get<int>();
  }

  [[nodiscard]] Finished log() const { return {0, server_->out(), server_->err()}; }

  [[nodiscard]] std::vector<std::string> client_of(const std::string& from, const std::string& to,
                                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{
        program("client-sync"),
        source(from).string(),
        "localhost:" + std::to_string(control_port_) + (to.empty() ? "" : "::" + to),
        "--data-port",
        std::to_string(data_port_),
        "--once",
        "--state-dir",
        (directory_.path() / ("client-" + from)).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] std::unique_ptr<Process> client(const std::string& name,
                                                const std::vector<std::string>& more = {}) const {
    return std::make_unique<Process>(
        client_of(name, name, more),
        Process::Files{directory_.path() / (name + ".out"), directory_.path() / (name + ".err")});
  }
  [[nodiscard]] Finished list(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{program("client-sync"), "--list",
                                       "localhost:" + std::to_string(control_port_), "--data-port",
                                       std::to_string(data_port_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  void fill(const std::string& name, int files, std::size_t bytes) const {
    for (int i = 0; i < files; ++i) {
      const stdfs::path into = source(name) / std::to_string(i % 7);
      stdfs::create_directories(into);
      write_file(into / std::to_string(i), name + random_bytes(static_cast<std::uint64_t>(i), bytes));
    }
  }

  /// The client holds its sync in the midst of sending, until CONT.
  [[nodiscard]] bool stop_while_sending(const Process& process, const std::string& name) const {
    const bool begun = eventually([&] {
      for (const nlohmann::json& event : log().events()) {
        if (event.value("event", "") == "requesting" && event.value("mirror", "") == name) return true;
      }
      return false;
    });
    process.signal(SIGSTOP);
    return begun;
  }

  void expect_equal(const std::string& name) const {
    EXPECT_EQ(compare_trees(source(name), mirror(name)), "") << name;
  }

  [[nodiscard]] stdfs::path config() const { return directory_.path() / "server.toml"; }

  TemporaryDirectory directory_;
  std::unique_ptr<Process> server_;
  std::string tap_ = "no-monitor = true\n";
  int control_port_ = 0, data_port_ = 0;
};

TEST_F(ManyMirrorsTest, SyncsOfDifferentMirrorsRunAtTheSameTime) {
  const std::vector<std::string> names{"a", "b", "c", "d", "e"};
  std::vector<Mirror> mirrors;
  for (const std::string& name : names) {
    mirrors.push_back({name, "comment = \"what " + name + " has\"\n"});
    fill(name, 60, 20'000);
  }
  start(mirrors);
  std::vector<std::unique_ptr<Process>> clients;
  for (const std::string& name : names)
    clients.push_back(client(name));
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(clients[i]->wait(seconds(40)), 0) << clients[i]->err();
    expect_equal(names[i]);
  }
  const Finished listed = list({"--json"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  ASSERT_EQ(listed.events().size(), names.size());
  EXPECT_EQ(listed.events()[2]["name"], "c");
  EXPECT_EQ(listed.events()[2]["comment"], "what c has");
  // A second sync of each finds nothing to do.
  for (const std::string& name : names) {
    const Finished again = run(client_of(name, name, {"--json"}));
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.event("sync_done")["transferred_files"], 0);
  }
}

TEST_F(ManyMirrorsTest, AnUnknownNameIsRefusedWithTheNamesThatExist) {
  start({{"photos", ""}, {"music", ""}});
  fill("x", 1, 1);
  const Finished other = run(client_of("x", "films"));
  EXPECT_EQ(other.code, 5);
  EXPECT_THAT(other.err, HasSubstr("there is no mirror 'films' here; there are: music, photos"));
  const Finished none = run(client_of("x", ""));
  EXPECT_EQ(none.code, 5);
  EXPECT_THAT(none.err, HasSubstr("there is no mirror without a name here; there are: music, photos"));
  EXPECT_TRUE(stdfs::is_empty(mirror("photos")));
}

TEST_F(ManyMirrorsTest, OneMirrorHasOneSyncAtATimeAndTheOthersKnowTheirPlace) {
  start({{"a", "take-over = true\n"}});
  fill("a", 200, 100'000);
  const auto first = client("a");
  ASSERT_TRUE(stop_while_sending(*first, "a"));
  std::vector<std::string> arguments = client_of("a", "a");
  arguments.back() = (directory_.path() / "client-other").string();
  Process second(arguments, {directory_.path() / "second.out", directory_.path() / "second.err"});
  EXPECT_TRUE(eventually([&] { return second.out().find("place 1 in the queue") != std::string::npos; }))
      << second.out() << second.err();
  first->signal(SIGCONT);
  EXPECT_EQ(first->wait(seconds(40)), 0) << first->err();
  EXPECT_EQ(second.wait(seconds(40)), 0) << second.err();
  expect_equal("a");
}

TEST_F(ManyMirrorsTest, OnlyAsManySyncsRunAsMaxSyncsSays) {
  start({{"a", ""}, {"b", ""}}, "max-syncs = 1\n");
  fill("a", 200, 100'000);
  fill("b", 3, 10);
  const auto first = client("a");
  ASSERT_TRUE(stop_while_sending(*first, "a"));
  const auto second = client("b");
  EXPECT_TRUE(eventually([&] { return second->out().find("Waiting: ") != std::string::npos; }))
      << second->out();
  first->signal(SIGCONT);
  EXPECT_EQ(first->wait(seconds(40)), 0) << first->err();
  EXPECT_EQ(second->wait(seconds(40)), 0) << second->err();
  expect_equal("a");
  expect_equal("b");
}

TEST_F(ManyMirrorsTest, TheTapTellsSyncsOfDifferentMirrorsApart) {
  const std::string endpoint = "ipc://" + (directory_.path() / "tap" / "socket").string();
  tap_ = "monitor = \"" + endpoint + "\"\n";
  start({{"a", ""}, {"b", ""}});
  const auto monitor = [&](const std::string& name, const std::vector<std::string>& filter) {
    std::vector<std::string> arguments{program("monitor-sync"), endpoint, "--json", "-vv"};
    arguments.insert(arguments.end(), filter.begin(), filter.end());
    return std::make_unique<Process>(arguments, Process::Files{directory_.path() / (name + ".monitor.out"),
                                                               directory_.path() / (name + ".monitor.err")});
  };
  const auto of_a = monitor("a", {"--session=1"});
  const auto of_b = monitor("b", {"--mirror=b"});
  const auto has = [](const Process& one, const std::string& type) {
    return eventually([&] { return one.out().find("\"type\":\"" + type + "\"") != std::string::npos; });
  };
  ASSERT_TRUE(has(*of_a, "state")) << of_a->err();
  ASSERT_TRUE(has(*of_b, "state")) << of_b->err();

  fill("a", 200, 100'000);
  fill("b", 20, 1000);
  const auto first = client("a");
  ASSERT_TRUE(stop_while_sending(*first, "a"));
  const auto second = client("b");
  EXPECT_EQ(second->wait(seconds(40)), 0) << second->err();
  first->signal(SIGCONT);
  EXPECT_EQ(first->wait(seconds(40)), 0) << first->err();
  for (const std::string type : {"welcome", "data", "credit", "sync:done", "bye"}) {
    EXPECT_TRUE(has(*of_a, type)) << type;
    EXPECT_TRUE(has(*of_b, type)) << type;
  }
  EXPECT_TRUE(has(*of_b, "hello"));
  EXPECT_TRUE(has(*of_b, "disconnected"));
  const auto expect_only = [](const Process& one, const std::string& name, std::uint64_t session) {
    for (const nlohmann::json& event : Finished{0, one.out(), ""}.events()) {
      if (event["event"] == "state" || event["event"] == "missed" || event["event"] == "dropped") continue;
      EXPECT_EQ(event.value("mirror", "none"), name) << event;
      const bool is_around = event["event"] == "connection" || event["type"] == "hello";
      if (!is_around) {
        EXPECT_EQ(event.value("session", 0U), session) << event;
      }
    }
  };
  expect_only(*of_a, "a", 1);
  expect_only(*of_b, "b", 2);
}

TEST_F(ManyMirrorsTest, HupBringsNewMirrorsAndLetsRunningSyncsOfGoneOnesEnd) {
  start({{"a", ""}, {"b", ""}});
  fill("b", 200, 100'000);
  fill("c", 5, 10);
  const auto last = client("b");
  ASSERT_TRUE(stop_while_sending(*last, "b"));
  configure({{"a", ""}, {"c", "comment = \"new\"\n"}});
  server_->signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return server_->out().find("A new mirror: ") != std::string::npos; }));
  EXPECT_EQ(run(client_of("c", "c")).code, 0);
  expect_equal("c");
  fill("x", 1, 1);
  EXPECT_EQ(run(client_of("x", "b")).code, 5);
  last->signal(SIGCONT);
  EXPECT_EQ(last->wait(seconds(40)), 0) << last->err();
  expect_equal("b");
  // It is let go: another server may have it.
  EXPECT_TRUE(eventually([&] {
    Process other({program("server-sync"), mirror("b").string(), "--control-port=0", "--data-port=0",
                   "--no-monitor", "--state-dir", (directory_.path() / "other").string()},
                  {directory_.path() / "other.out", directory_.path() / "other.err"});
    return eventually(
               [&] { return !other.running() || other.out().find("Listening") != std::string::npos; }) &&
           other.running();
  }));
}

TEST_F(ManyMirrorsTest, WhatIsWrongInAConfigurationLeavesTheOldOneInForce) {
  start({{"a", ""}, {"b", ""}});
  fill("a", 5, 10);
  configure({{"a", "colour = 3\n"}});
  server_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return server_->err().find("unknown key 'colour'") != std::string::npos; }));
  configure({{"a", ""}, {"gone", ""}});
  stdfs::remove(mirror("gone"));
  server_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    return server_->err().find("gone: No such file or directory: the configuration stays as it was") !=
           std::string::npos;
  })) << server_->err();
  EXPECT_EQ(list({"--json"}).events().size(), 2U);
  EXPECT_EQ(run(client_of("a", "a")).code, 0);
  expect_equal("a");
}

TEST_F(ManyMirrorsTest, WhatChangesForAMirrorHoldsFromItsNextSyncOn) {
  start({{"a", "max-delete = 0\n"}});
  fill("a", 5, 10);
  EXPECT_EQ(run(client_of("a", "a")).code, 0);
  stdfs::remove_all(source("a") / "3");
  EXPECT_EQ(run(client_of("a", "a")).code, 25);
  configure({{"a", "max-delete = 100\n"}});
  server_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return run(client_of("a", "a")).code == 0; }));
  expect_equal("a");
}

TEST_F(ManyMirrorsTest, AFrozenMirrorHoldsUpNoOtherSync) {
  if (const std::string why = FuseMount::missing(); !why.empty()) GTEST_SKIP() << why;
  const stdfs::path below = directory_.path() / "below";
  stdfs::create_directories(below);
  stdfs::create_directories(mirror("a"));
  FuseMount mount(below, mirror("a"), {"--multithreaded"});
  start({{"a", ""}, {"b", ""}});
  fill("a", 200, 100'000);
  fill("b", 50, 1000);
  const auto frozen = client("a");
  ASSERT_TRUE(eventually([&] { return server_->out().find("\"requesting\"") != std::string::npos; }));
  mount.freeze();
  // As many as fit into the time until the frozen one is given up: none of them waits for that.
  for (int i = 0; i < 5; ++i) {
    write_file(source("b") / "changed", std::to_string(i));
    const auto began = std::chrono::steady_clock::now();
    const Finished done = run(client_of("b", "b"));
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(3));
  }
  expect_equal("b");
  EXPECT_EQ(frozen->wait(seconds(40)), 11) << frozen->err();
  EXPECT_EQ(run(client_of("b", "b")).code, 0);
  mount.thaw();
  EXPECT_TRUE(eventually([&] { return run(client_of("a", "a")).code == 0; }, seconds(40)));
  server_->signal(SIGTERM);
  EXPECT_EQ(server_->wait(seconds(20)), 20);
}

TEST_F(ManyMirrorsTest, TermEndsTheSyncsOfAllMirrors) {
  start({{"a", ""}, {"b", ""}, {"c", ""}});
  std::map<std::string, std::unique_ptr<Process>> clients;
  for (const std::string name : {"a", "b", "c"}) {
    fill(name, 200, 100'000);
    clients[name] = client(name);
    ASSERT_TRUE(stop_while_sending(*clients[name], name));
  }
  server_->signal(SIGTERM);
  EXPECT_EQ(server_->wait(seconds(20)), 20);
  for (const auto& [name, process] : clients) {
    process->signal(SIGTERM);
    process->signal(SIGCONT);
    EXPECT_EQ(process->wait(seconds(20)), 20);
    for (const auto& entry : stdfs::directory_iterator(mirror(name)))
      EXPECT_FALSE(entry.path().filename().string().starts_with(".server-sync.")) << entry.path();
  }
}

}  // namespace
}  // namespace ssync::integration
