// The seed's seven tests, by number and name. The log of each is in the test output folder: test_sync.log for
// the tests, test_00N_server.log and test_00N_client.log for the programs.
#include <csignal>
#include <fstream>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class SeedTest : public ::testing::Test {
 protected:
  /// Both programs run, as the user would start them, and the first sync is over.
  void start(int number, const std::string& title) {
    const std::string stem = "test_00" + std::to_string(number);
    title_ = stem + " - " + title;
    log("start");
    server_log_ = output_directory() / (stem + "_server.log");
    client_log_ = output_directory() / (stem + "_client.log");
    stdfs::remove(server_log_);
    stdfs::remove(client_log_);
    // One start to learn free ports, then the real one with a plain log, as in the seed.
    bench_.start_server();
    bench_.stop_server();
    std::vector<std::string> arguments = bench_.server_arguments({});
    std::erase(arguments, "--json");
    server_ = std::make_unique<Process>(arguments, Process::Files{server_log_, server_log_});
    client_ = std::make_unique<Process>(bench_.client_arguments({"--interval", "0.1", "-v"}),
                                        Process::Files{client_log_, client_log_});
    ASSERT_TRUE(eventually([&] {
      return client_->out().find("Sync done") != std::string::npos && bench_.equal();
    })) << client_->out()
        << server_->out();
  }
  void expect_mirrored() {
    EXPECT_TRUE(eventually([&] { return bench_.equal(); }))
        << bench_.differences() << client_->out() << server_->out();
  }
  void expect_server_said(const std::string& text) {
    EXPECT_TRUE(eventually([&] { return server_->out().find(text) != std::string::npos; }))
        << text << " is not in:\n"
        << server_->out();
  }
  void TearDown() override {
    if (client_) {
      client_->signal(SIGTERM);
      EXPECT_EQ(client_->wait(std::chrono::seconds(10)), 20);
    }
    if (server_) {
      server_->signal(SIGTERM);
      EXPECT_EQ(server_->wait(std::chrono::seconds(10)), 20);
    }
    log(HasFailure() ? "FAILED" : "passed");
  }
  void log(const std::string& text) const {
    std::ofstream(output_directory() / "test_sync.log", std::ios::app) << title_ << ": " << text << '\n';
  }

  Bench bench_;
  std::string title_;
  stdfs::path server_log_, client_log_;
  std::unique_ptr<Process> server_, client_;
};

TEST_F(SeedTest, Test001AddAFileToTheClientFolder) {
  start(1, "Add a file to the client folder");
  write_file(bench_.source() / "test.txt", "a file added to the client folder\n");
  expect_mirrored();
  EXPECT_EQ(read_file(bench_.mirror() / "test.txt"), "a file added to the client folder\n");
}

TEST_F(SeedTest, Test002DeleteAFileFromTheClientFolder) {
  write_file(bench_.source() / "test.txt", "to be deleted\n");
  start(2, "Delete a file from the client folder");
  stdfs::remove(bench_.source() / "test.txt");
  expect_mirrored();
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "test.txt"));
  expect_server_said("Deleting file: test.txt");
}

TEST_F(SeedTest, Test003RenameAFileInTheClientFolder) {
  write_file(bench_.source() / "test.txt", "to be renamed\n");
  start(3, "Rename a file in the client folder");
  stdfs::rename(bench_.source() / "test.txt", bench_.source() / "renamed.txt");
  expect_mirrored();
  EXPECT_EQ(read_file(bench_.mirror() / "renamed.txt"), "to be renamed\n");
  expect_server_said("Copying file: test.txt and renaming to renamed.txt");
}

TEST_F(SeedTest, Test004ModifyAFileInTheClientFolder) {
  write_file(bench_.source() / "test.txt", "before\n");
  start(4, "Modify a file in the client folder");
  write_file(bench_.source() / "test.txt", "after the modification\n");
  expect_mirrored();
  EXPECT_EQ(read_file(bench_.mirror() / "test.txt"), "after the modification\n");
}

TEST_F(SeedTest, Test005AddAFileToClientFolderWithMatchingMd5ToAnExistingFile) {
  write_file(bench_.source() / "test.txt", "the same content twice\n");
  start(5, "Add a file to client folder with matching md5 to an existing file");
  write_file(bench_.source() / "copy.txt", "the same content twice\n");
  expect_mirrored();
  EXPECT_EQ(read_file(bench_.mirror() / "copy.txt"), "the same content twice\n");
  expect_server_said("Copying file: test.txt and renaming to copy.txt");
}

TEST_F(SeedTest, Test006AddAFileToTheServerDirectory) {
  write_file(bench_.source() / "test.txt", "stays\n");
  start(6, "Add a file to the server directory");
  write_file(bench_.mirror() / "stranger.txt", "does not belong here\n");
  EXPECT_TRUE(eventually([&] { return !stdfs::exists(bench_.mirror() / "stranger.txt"); }));
  expect_mirrored();
  expect_server_said("Deleting file: stranger.txt");
}

TEST_F(SeedTest, Test007DeleteAFileFromTheServerDirectory) {
  write_file(bench_.source() / "test.txt", "comes back\n");
  start(7, "Delete a file from the server directory");
  stdfs::remove(bench_.mirror() / "test.txt");
  EXPECT_TRUE(eventually([&] { return stdfs::exists(bench_.mirror() / "test.txt"); }));
  expect_mirrored();
  EXPECT_EQ(read_file(bench_.mirror() / "test.txt"), "comes back\n");
}

}  // namespace
}  // namespace ssync::integration
