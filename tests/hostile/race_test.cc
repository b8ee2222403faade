// Somebody with an account on the machine who swaps directories for links while a sync runs: nothing outside
// is written, and nothing outside is read.
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::hostile {
namespace {

using namespace integration;

/// Puts a link in the place of a directory and back, as fast as it can, until it goes.
class Swapper {
 public:
  Swapper(stdfs::path directory, const stdfs::path& outside)
      : directory_(std::move(directory)), aside_(directory_.string() + ".aside"), thread_([this, outside] {
          const stdfs::path link = directory_.string() + ".link";
          ::unlink(link.c_str());
          stdfs::create_directory_symlink(outside, link);
          while (!stopping_) {
            if (::rename(directory_.c_str(), aside_.c_str()) != 0) continue;
            if (::rename(link.c_str(), directory_.c_str()) == 0) {
              ++swaps_;
              std::this_thread::yield();
              ::rename(directory_.c_str(), link.c_str());
            }
            ::rename(aside_.c_str(), directory_.c_str());
          }
          ::unlink(link.c_str());
        }) {}
  ~Swapper() {
    stopping_ = true;
    thread_.join();
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;
  [[nodiscard]] int swaps() const { return swaps_; }

 private:
  const stdfs::path directory_, aside_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> swaps_ = 0;
  std::thread thread_;
};

class RaceTest : public testing::Test {
 protected:
  static constexpr int kSwaps = 10'000;
  static constexpr int kRounds = 40;

  void SetUp() override {
    stdfs::create_directories(bench_.source() / "d" / "e");
    for (int i = 0; i < 20; ++i)
      write_file(bench_.source() / "d" / ("f" + std::to_string(i)), "ours");
    write_file(bench_.source() / "d" / "e" / "deep", "ours");
    stdfs::create_directories(outside_ / "e");
    write_file(outside_ / "f0", "secret");
    write_file(outside_ / "e" / "deep", "secret");
    bench_.start_server();
    bench_.expect_sync();
  }
  /// Changes everything below d.
  void change(int round) {
    for (int i = 0; i < 20; ++i)
      write_file(bench_.source() / "d" / ("f" + std::to_string(i)), "ours " + std::to_string(round));
    write_file(bench_.source() / "d" / "e" / "deep", "ours " + std::to_string(round));
  }

  Bench bench_;
  const stdfs::path outside_ = bench_.path("outside");
};

TEST_F(RaceTest, ADirectoryOfTheMirrorThatBecomesALinkIsNotWrittenThrough) {
  {
    const Swapper swapper(bench_.mirror() / "d", outside_);
    for (int round = 0; round < kRounds && swapper.swaps() < kSwaps; ++round) {
      change(round);
      (void)bench_.sync({"--max-delete=1000"});
    }
    EXPECT_GT(swapper.swaps(), 100);
  }
  EXPECT_EQ(read_file(outside_ / "f0"), "secret");
  EXPECT_EQ(read_file(outside_ / "e" / "deep"), "secret");
  EXPECT_EQ(std::distance(stdfs::recursive_directory_iterator(outside_), {}), 3);
  bench_.expect_sync({"--max-delete=1000"});
}

TEST_F(RaceTest, ADirectoryOfTheSourceThatBecomesALinkIsNotReadThrough) {
  {
    const Swapper swapper(bench_.source() / "d", outside_);
    for (int round = 0; round < kRounds && swapper.swaps() < kSwaps; ++round) {
      (void)bench_.sync({"--max-delete=1000"});
      for (const auto& entry : stdfs::recursive_directory_iterator(bench_.mirror())) {
        if (entry.is_symlink() || !entry.is_regular_file()) continue;
        ASSERT_NE(read_file(entry.path()).substr(0, 6), "secret") << entry.path();
      }
    }
    EXPECT_GT(swapper.swaps(), 100);
  }
  bench_.expect_sync({"--max-delete=1000"});
}

}  // namespace
}  // namespace ssync::hostile
