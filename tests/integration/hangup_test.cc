// HUP: logs are opened anew, nothing ends.
#include <csignal>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class HangupTest : public ::testing::Test {
 protected:
  Bench bench_;
};

TEST_F(HangupTest, BothProgramsGoOnInANewLogAfterARotation) {
  write_file(bench_.source() / "a", "a");
  const stdfs::path server_log = bench_.path("server.log");
  const stdfs::path client_log = bench_.path("client.log");
  bench_.start_server({"--log-file", server_log.string()},
                      Process::Files{server_log, bench_.path("server.err")});
  Process client(bench_.client_arguments({"--interval", "0.1", "--log-file", client_log.string()}),
                 {bench_.path("client.out"), bench_.path("client.err")});
  const auto says = [](const stdfs::path& log, std::string_view text) {
    return stdfs::exists(log) && read_file(log).find(text) != std::string::npos;
  };
  ASSERT_TRUE(eventually([&] { return says(client_log, "Sync done") && says(server_log, "sync_done"); }))
      << client.err();
  stdfs::rename(client_log, client_log.string() + ".1");
  stdfs::rename(server_log, server_log.string() + ".1");
  client.signal(SIGHUP);
  bench_.server().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return says(client_log, "Sync done") && says(server_log, "sync_done"); }))
      << client.err() << bench_.server().err();
  EXPECT_TRUE(client.running());
  EXPECT_TRUE(bench_.server().running());
}

TEST_F(HangupTest, ALogThatCannotBeOpenedAnewIsSaidAndTheOldOneStaysInUse) {
  const stdfs::path log = bench_.path("client.log");
  bench_.start_server();
  Process client(bench_.client_arguments({"--interval", "0.1", "--log-file", log.string()}),
                 {bench_.path("client.out"), bench_.path("client.err")});
  ASSERT_TRUE(eventually([&] { return stdfs::exists(log) && stdfs::file_size(log) > 0; })) << client.err();
  const stdfs::path old = bench_.path("old.log");
  stdfs::rename(log, old);
  stdfs::create_directory(log);
  client.signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return client.err().find("opening the log") != std::string::npos; }))
      << client.err();
  const auto size = stdfs::file_size(old);
  EXPECT_TRUE(eventually([&] { return stdfs::file_size(old) > size; }));
  EXPECT_TRUE(client.running());
}

}  // namespace
}  // namespace ssync::integration
