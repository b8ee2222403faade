// Files that a program writes all the time.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

/// Overwrites a piece of a file again and again: no reading of it is ever of one moment.
class Writer {
 public:
  explicit Writer(const stdfs::path& path) : fd_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      for (std::uint64_t i = 0; !stop.stop_requested(); ++i) {
        EXPECT_EQ(::pwrite(fd_, &i, sizeof i, static_cast<off_t>((i % 64) * 4096)), ssize_t{sizeof i});
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
  }
  ~Writer() {
    thread_ = {};
    ::close(fd_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  const int fd_;
  std::jthread thread_;
};

class ChangingFileTest : public ::testing::Test {
 protected:
  ChangingFileTest() {
    write_file(bench_.source() / "a", "in peace\n");
    write_file(live_, random_bytes(1, 20 << 20));
  }
  [[nodiscard]] static std::string path_of_problem(const Finished& sync) {
    return sync.event("problem")["path"].get<std::string>();
  }
  Bench bench_;
  const stdfs::path live_ = bench_.source() / "live.db";
};

TEST_F(ChangingFileTest, TheMirrorGetsWhatWasReadUntilItIsRead) {
  bench_.start_server();
  {
    const Writer writer(live_);
    for (int sync = 0; sync < 3; ++sync) {
      const Finished done = bench_.sync({"--no-fsync"});
      EXPECT_EQ(done.code, 23) << done.err;
      EXPECT_EQ(path_of_problem(done), "live.db");
      EXPECT_NE(done.err.find("changed while it was read"), std::string::npos) << done.err;
      EXPECT_TRUE(done.event("sync_done")["equal"].get<bool>()) << done.out;
      EXPECT_EQ(read_file(bench_.mirror() / "a"), "in peace\n");
      EXPECT_EQ(stdfs::file_size(bench_.mirror() / "live.db"), stdfs::file_size(live_));
      EXPECT_LT(mtime_of(bench_.mirror() / "live.db").s, mtime_of(live_).s);
    }
  }
  bench_.expect_sync();
  const Finished idle = bench_.sync();
  EXPECT_EQ(idle.event("sync_done")["transferred_files"].get<int>(), 0) << idle.out;
}

TEST_F(ChangingFileTest, ACopyThatIsWholeStays) {
  bench_.start_server();
  bench_.expect_sync();
  const std::string whole = read_file(bench_.mirror() / "live.db");
  {
    const Writer writer(live_);
    const Finished done = bench_.sync({"--no-fsync"});
    EXPECT_EQ(done.code, 23) << done.err;
    EXPECT_EQ(path_of_problem(done), "live.db");
    EXPECT_TRUE(read_file(bench_.mirror() / "live.db") == whole);
  }
  write_file(bench_.source() / "0", "before it in the list\n");
  const Finished next = bench_.sync({"-v"});
  EXPECT_EQ(next.code, 0) << next.err;
  std::vector<std::string> requested;
  for (const nlohmann::json& event : next.events()) {
    if (event["event"] == "change" && event["op"] == "request") requested.push_back(event["path"]);
  }
  EXPECT_EQ(requested, (std::vector<std::string>{"live.db", "0"}));
  EXPECT_EQ(bench_.differences(), "");
}

// Whoever knows nothing but size and time, as after the loss of an index, does not take it for the file.
TEST_F(ChangingFileTest, WithoutTheIndexesItIsReadAgain) {
  bench_.start_server();
  {
    const Writer writer(live_);
    EXPECT_EQ(bench_.sync({"--no-fsync"}).code, 23);
  }
  bench_.stop_server();
  stdfs::remove_all(bench_.path("server-state"));
  stdfs::remove_all(bench_.path("client-state"));
  bench_.start_server();
  bench_.expect_sync({"--max-delete=0"});
}

TEST_F(ChangingFileTest, ALogThatOnlyGrowsIsSentAsItWas) {
  bench_.start_server();
  const int fd = ::open(live_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  std::jthread appends([fd](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EXPECT_EQ(::write(fd, "a line\n", 7), 7);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const Finished done = bench_.sync({"--no-fsync"});
  EXPECT_EQ(done.code, 0) << done.err;
  appends = {};
  ::close(fd);
  const std::string there = read_file(bench_.mirror() / "live.db");
  EXPECT_GE(there.size(), std::size_t{20} << 20);
  EXPECT_TRUE(read_file(live_).starts_with(there));
  bench_.expect_sync();
}

}  // namespace
}  // namespace ssync::integration
