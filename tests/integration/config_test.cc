// The programs with what they are told by a file and by the environment.
#include <csignal>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

using std::chrono::seconds;

class ConfigTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string config(const std::string& text) const {
    write_file(bench_.path("server.toml"), text);
    return bench_.path("server.toml").string();
  }
  /// A file with settings and the mirror "home".
  [[nodiscard]] std::string one_mirror() const {
    return config("control-port = 0\ndata-port = 0\nno-monitor = true\njson = true\nstate-dir = \"" +
                  bench_.path("server-state").string() + "\"\n\n[mirror.home]\npath = \"" +
                  bench_.mirror().string() + "\"\ncomment = \"what is at home\"\n");
  }
  static Finished server(const std::string& file) {
    return run({SSYNC_BIN_DIR "/server-sync", "--config", file});
  }

  Bench bench_;
};

TEST_F(ConfigTest, AServerThatIsToldByAFileAloneIsSyncedTo) {
  write_file(bench_.source() / "a", "a");
  Process server({SSYNC_BIN_DIR "/server-sync"}, {bench_.path("out"), bench_.path("err")},
                 {"SERVER_SYNC_CONFIG=" + one_mirror()});
  nlohmann::json listening;
  ASSERT_TRUE(eventually([&] {
    listening = Finished{0, server.out(), ""}.event("listening");
    return listening.contains("control_port") || !server.running();
  }));
  ASSERT_TRUE(listening.contains("control_port")) << server.err();
  const std::string control_port = std::to_string(listening.at("control_port").get<int>());
  const std::string data_port = std::to_string(listening.at("data_port").get<int>());
  write_file(bench_.path("client.toml"), "once = true\ndata-port = " + data_port + "\nstate-dir = \"" +
                                             bench_.path("client-state").string() + "\"\n");
  const std::string at = "localhost:" + control_port + "::home";
  const Finished synced = run({SSYNC_BIN_DIR "/client-sync", bench_.source().string(), at, "--config",
                               bench_.path("client.toml").string()});
  EXPECT_EQ(synced.code, 0) << synced.err;
  EXPECT_EQ(bench_.differences(), "");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(seconds(20)), 20);
}

TEST_F(ConfigTest, MistakesInTheFileEndTheServerAtOnce) {
  const std::string wrong = config("max_delete = 3\n");
  const Finished key = server(wrong);
  EXPECT_EQ(key.code, 1);
  EXPECT_EQ(key.err, "server-sync: " + wrong + ":1: unknown key 'max_delete'; did you mean 'max-delete'?\n");
  const Finished absent = server(bench_.path("absent").string());
  EXPECT_EQ(absent.code, 11);
  EXPECT_NE(absent.err.find("No such file or directory"), std::string::npos) << absent.err;
}

TEST_F(ConfigTest, HelpSaysHowFilesAndTheEnvironmentAreUsed) {
  for (const std::string program : {"server-sync", "client-sync", "monitor-sync"}) {
    const Finished help = run({SSYNC_BIN_DIR "/" + program, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(help.out.ends_with('\n'));
    EXPECT_NE(help.out.find("variable of the environment"), std::string::npos) << help.out;
  }
}

TEST_F(ConfigTest, AClientDoesNotSyncToAMirrorThatItDidNotMean) {
  write_file(bench_.source() / "a", "a");
  bench_.start_server();
  const Finished refused = bench_.sync({"--mirror=other"});
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find("there is no mirror 'other' here"), std::string::npos) << refused.err;
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "a"));
  bench_.stop_server();
}

}  // namespace
}  // namespace ssync::integration
