// monitor-sync as a program, fed by a tap of the test's own.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/base/unique_fd.h"
#include "ssync/monitor/tap.h"

namespace ssync {
namespace {

using Steady = std::chrono::steady_clock;

/// The program with pipes for its output; killed at the end if it still runs.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SSYNC_BIN_DIR "/monitor-sync");
    std::vector<char*> argv;
    for (std::string& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(err.data(), O_CLOEXEC), 0);
    const UniqueFd out_writer(out[1]);
    const UniqueFd err_writer(err[1]);
    out_.reset(out[0]);
    err_.reset(err[0]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  void close_output() { out_.reset(); }
  /// Its exit code; 128 and more for a signal.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string line() { return line_of(out_, out_text_); }
  std::string error_line() { return line_of(err_, err_text_); }

 private:
  /// The next line without its end, or what there was until the end or 20 seconds passed.
  static std::string line_of(const UniqueFd& fd, std::string& text) {
    while (text.find('\n') == std::string::npos) {
      pollfd item{fd.get(), POLLIN, 0};
      std::array<char, 4096> block{};
      const ssize_t got = ::poll(&item, 1, 20'000) == 1 ? ::read(fd.get(), block.data(), block.size()) : 0;
      if (got <= 0) return std::exchange(text, {});
      text.append(block.data(), static_cast<std::size_t>(got));
    }
    const std::size_t end = text.find('\n');
    std::string out = text.substr(0, end);
    text.erase(0, end + 1);
    return out;
  }

  pid_t pid_ = -1;
  UniqueFd out_, err_;
  std::string out_text_, err_text_;
};

class MonitorSyncTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ssync-tap-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    endpoint_ = "ipc://" + directory_ + "/tap.sock";
  }
  void TearDown() override {
    publisher_.reset();
    std::filesystem::remove_all(directory_);
  }
  void start_server() {
    publisher_ = monitor::TapPublisher::start(context_, *admission_, ring_, {endpoint_}).value();
  }
  /// Sends once the program listens.
  void publish(std::uint64_t seq, std::optional<std::string> mirror = std::nullopt,
               std::uint64_t session = 0) {
    const auto deadline = Steady::now() + std::chrono::seconds(20);
    while (!ring_.active() && Steady::now() < deadline)
      ::usleep(1000);
    ring_.push({.time_ns = 1,
                .kind = wire::TapKind::control,
                .direction = wire::Direction::in,
                .peer = 1,
                .type = "next",
                .mirror = std::move(mirror),
                .session = session,
                .seq = seq,
                .summary = "ack 3"});
  }

  net::Context context_{1};
  const std::unique_ptr<net::Admission> admission_ = net::Admission::start(context_).value();
  monitor::TapRing ring_;
  std::unique_ptr<monitor::TapPublisher> publisher_;
  std::string directory_, endpoint_;
};

TEST_F(MonitorSyncTest, PrintsALineAMessageUntilTheCountIsReached) {
  start_server();
  Program program({endpoint_, "--count", "2"});
  publish(7);
  publish(8);
  EXPECT_NE(program.line().find("<    1 next                  7          0     0  ack 3"), std::string::npos);
  EXPECT_NE(program.line().find("next                  8"), std::string::npos);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(MonitorSyncTest, PrintsJson) {
  start_server();
  Program program({endpoint_, "--json", "--count", "1"});
  publish(7);
  EXPECT_TRUE(
      program.line().starts_with(R"({"event":"control","time":"1970-01-01T00:00:00.000000Z","number":)"));
}

TEST_F(MonitorSyncTest, ShowsOneMirrorAndCountsOnlyWhatItShows) {
  start_server();
  Program program({endpoint_, "--mirror", "photos", "--count", "2"});
  publish(7, "photos", 3);
  publish(8, "music", 4);
  publish(9);
  publish(10, "photos", 5);
  EXPECT_TRUE(program.line().ends_with("next                  7          0     0  [photos#3] ack 3"));
  EXPECT_TRUE(program.line().ends_with("next                 10          0     0  [photos#5] ack 3"));
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(MonitorSyncTest, ShowsTheMirrorWithoutANameOrOneSync) {
  for (const std::vector<std::string>& filter :
       std::vector<std::vector<std::string>>{{"--mirror", ""}, {"--session", "5"}}) {
    start_server();
    std::vector<std::string> arguments{endpoint_, "--count", "1"};
    arguments.insert(arguments.end(), filter.begin(), filter.end());
    Program program(arguments);
    publish(7, "photos", 3);
    publish(8);
    publish(9, "", 5);
    EXPECT_TRUE(program.line().ends_with("next                  9          0     0  ack 3")) << filter[0];
    EXPECT_EQ(program.wait(), 0);
    publisher_.reset();
  }
}

TEST_F(MonitorSyncTest, RefusesWhatNoMirrorAndNoSyncCanBe) {
  Program program({endpoint_, "--mirror", "a/b"});
  EXPECT_EQ(program.error_line(),
            "--mirror: 'a/b' cannot be the name of a mirror: a client names a mirror, not a path "
            "in it, so '/' is not allowed");
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(Program({endpoint_, "--session", "0"}).wait(), 1);
}

TEST_F(MonitorSyncTest, WaitsForAServerAndForItsReturn) {
  Program program({endpoint_});
  EXPECT_EQ(program.error_line(), "monitor-sync: waiting for a server on " + endpoint_);
  start_server();
  publish(7);
  EXPECT_NE(program.line().find("next                  7"), std::string::npos);
  publisher_.reset();
  EXPECT_EQ(program.error_line(), "monitor-sync: waiting for a server on " + endpoint_);
  start_server();
  publish(8);
  std::string line = program.line();
  if (line.starts_with("-- another server")) line = program.line();
  EXPECT_NE(line.find("next                  8"), std::string::npos) << line;
}

TEST_F(MonitorSyncTest, EndsWithTwentyWhenInterrupted) {
  for (const int number : {SIGINT, SIGTERM}) {
    start_server();
    Program program({endpoint_});
    publish(7);
    EXPECT_NE(program.line(), "");
    program.signal(number);
    EXPECT_EQ(program.wait(), 20);
    publisher_.reset();
  }
}

// It has no log that could be reopened.
TEST_F(MonitorSyncTest, AHangupFromAProcessChangesNothing) {
  start_server();
  Program program({endpoint_});
  publish(7);
  EXPECT_NE(program.line(), "");
  program.signal(SIGHUP);
  publish(8);
  EXPECT_NE(program.line().find("next                  8"), std::string::npos);
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 20);
}

TEST_F(MonitorSyncTest, EndsWhenItsReaderGoes) {
  start_server();
  Program program({endpoint_});
  publish(7);
  EXPECT_NE(program.line(), "");
  program.close_output();
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(MonitorSyncTest, RefusesWhatIsNoEndpoint) {
  Program program({"http://localhost"});
  EXPECT_EQ(program.error_line(),
            "monitor-sync: tap endpoint \"http://localhost\": it must start with ipc:// or tcp://");
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(Program({"--no-such-option"}).wait(), 1);
}

TEST_F(MonitorSyncTest, TakesOptionsFromTheEnvironment) {
  ::setenv("MONITOR_SYNC_COUNT", "0", 1);
  Program program({endpoint_});
  ::unsetenv("MONITOR_SYNC_COUNT");
  EXPECT_EQ(program.error_line(),
            "monitor-sync: MONITOR_SYNC_COUNT: must be a number between 1 and 18446744073709551615, not 0");
  EXPECT_EQ(program.wait(), 1);
}

TEST_F(MonitorSyncTest, TellsItsVersion) {
  Program program({"--version"});
  EXPECT_TRUE(program.line().starts_with("monitor-sync "));
  EXPECT_EQ(program.wait(), 0);
}

}  // namespace
}  // namespace ssync
