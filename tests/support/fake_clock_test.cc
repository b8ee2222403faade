#include "ssync/support/fake_clock.h"

#include <thread>

#include <gtest/gtest.h>

namespace ssync {
namespace {

using std::chrono::seconds;

TEST(FakeClockTest, AdvanceMovesSteadyAndWallTimeTogether) {
  FakeClock clock;
  const SteadyTime start = clock.now();
  clock.set_wall({100, 999'999'999});

  clock.advance(std::chrono::nanoseconds(2'000'000'002));

  EXPECT_EQ(clock.now() - start, std::chrono::nanoseconds(2'000'000'002));
  EXPECT_EQ(clock.wall(), (WallTime{103, 1}));
}

TEST(FakeClockTest, SleepingAloneMovesTheClockToTheDeadline) {
  FakeClock clock;
  const SteadyTime deadline = clock.now() + seconds(60);

  EXPECT_TRUE(clock.sleep_until(deadline, {}));

  EXPECT_EQ(clock.now(), deadline);
  EXPECT_EQ(clock.sleeps(), std::vector{deadline});
}

TEST(FakeClockTest, SleeperWakesWhenAnotherThreadAdvancesFarEnough) {
  FakeClock clock(FakeClock::OnSleep::wait);
  bool reached = false;
  std::thread sleeper([&] { reached = clock.sleep_until(clock.now() + seconds(60), {}); });
  ASSERT_TRUE(clock.wait_for_sleeps(1));

  clock.advance(seconds(59));
  clock.advance(seconds(1));
  sleeper.join();

  EXPECT_TRUE(reached);
}

TEST(FakeClockTest, SleeperWakesWhenAskedToStop) {
  FakeClock clock(FakeClock::OnSleep::wait);
  std::stop_source stop;
  bool reached = true;
  std::thread sleeper([&] { reached = clock.sleep_until(clock.now() + seconds(60), stop.get_token()); });
  ASSERT_TRUE(clock.wait_for_sleeps(1));

  stop.request_stop();
  sleeper.join();

  EXPECT_FALSE(reached);
}

}  // namespace
}  // namespace ssync
