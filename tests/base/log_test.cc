#include "ssync/base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace ssync {
namespace {

std::string contents_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string pattern = testing::TempDir() + "ssync_log_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/log";
  }
  ~LogTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string path_;
};

TEST_F(LogTest, OutputIsBareLinesWrittenAtOnce) {
  testing::internal::CaptureStdout();
  const auto logger = make_logger({}).value();
  logger->info("{} done", "sync:done");
  logger->debug("not shown");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "sync:done done\n");
}

TEST_F(LogTest, PlainFileHasTimeAndLevelAndIsAppendedTo) {
  const LogOptions options{.file = path_};
  make_logger(options).value()->info("first");
  const auto logger = make_logger(options).value();
  logger->warn("second");

  const std::string text = contents_of(path_);
  EXPECT_NE(text.find(" info first\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" warning second\n"), std::string::npos) << text;
  EXPECT_EQ(text.substr(0, 2), "20");
}

TEST_F(LogTest, JsonFileHoldsTheCallersLinesOnly) {
  const LogOptions options{.format = LogFormat::json, .file = path_};
  testing::internal::CaptureStderr();
  make_logger(options).value()->info("{}", R"({"a":1})");
  make_error_logger("client-sync", options).value()->error("oops");

  EXPECT_EQ(contents_of(path_), "{\"a\":1}\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "client-sync: oops\n");
}

TEST_F(LogTest, ErrorsGoToStderrAndToAPlainFile) {
  testing::internal::CaptureStderr();
  const auto logger = make_error_logger("100%v", {.file = path_, .verbosity = -1}).value();
  logger->error("bad {}", 7);
  logger->info("not shown");

  EXPECT_EQ(testing::internal::GetCapturedStderr(), "100%v: bad 7\n");
  EXPECT_NE(contents_of(path_).find(" error bad 7\n"), std::string::npos);
}

TEST_F(LogTest, VerbosityChoosesTheLevel) {
  const auto level = [](int verbosity) { return make_logger({.verbosity = verbosity}).value()->level(); };
  EXPECT_EQ(level(-1), spdlog::level::warn);
  EXPECT_EQ(level(0), spdlog::level::info);
  EXPECT_EQ(level(1), spdlog::level::debug);
  EXPECT_EQ(level(2), spdlog::level::trace);
}

TEST_F(LogTest, UnopenableFileIsAnError) {
  const auto result = make_logger({.file = folder_ + "/missing/log"});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::not_found);
  EXPECT_EQ(result.error().text(), "opening the log " + folder_ + "/missing/log: No such file or directory");
}

TEST_F(LogTest, FullDiskDropsTheLineAndSaysSo) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const auto logger = make_logger({.file = "/dev/full"}).value();
  testing::internal::CaptureStderr();
  EXPECT_NO_THROW(logger->info("lost"));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("No space left on device"), std::string::npos);
}

TEST_F(LogTest, AfterARotationItGoesOnInANewFileOfThatName) {
  const mode_t mask = ::umask(0027);
  const auto logger = make_logger({.file = path_}).value();
  ::umask(0);  // as server-sync does, later
  logger->info("before");
  std::filesystem::rename(path_, path_ + ".1");
  logger->info("still the old one");
  const Result<void> reopened = reopen_log_file(*logger);
  ::umask(mask);
  ASSERT_TRUE(reopened) << reopened.error().text();
  logger->info("after");

  EXPECT_NE(contents_of(path_ + ".1").find("still the old one"), std::string::npos);
  EXPECT_EQ(contents_of(path_ + ".1").find("after"), std::string::npos);
  EXPECT_NE(contents_of(path_).find("after"), std::string::npos);
  struct stat made {};
  ASSERT_EQ(::stat(path_.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777U, 0640U);
}

TEST_F(LogTest, TheOldFileStaysInUseWhenTheNewOneCannotBeOpened) {
  const auto logger = make_logger({.file = path_}).value();
  std::filesystem::rename(path_, folder_ + "/old");
  std::filesystem::create_directory(path_);
  const Result<void> reopened = reopen_log_file(*logger);
  ASSERT_FALSE(reopened);
  EXPECT_NE(reopened.error().text().find(path_), std::string::npos) << reopened.error().text();
  logger->info("not lost");
  EXPECT_NE(contents_of(folder_ + "/old").find("not lost"), std::string::npos);
}

TEST_F(LogTest, ALinkIsNotFollowed) {
  std::filesystem::create_symlink(folder_ + "/victim", path_);
  const auto logger = make_logger({.file = path_});
  ASSERT_FALSE(logger);
  EXPECT_EQ(logger.error().code, Errc::refused);
  EXPECT_NE(logger.error().text().find("symbolic link"), std::string::npos) << logger.error().text();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/victim"));
}

TEST_F(LogTest, AFifoWithoutAReaderIsAnErrorAndNoWait) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(make_logger({.file = path_}));
}

}  // namespace
}  // namespace ssync
