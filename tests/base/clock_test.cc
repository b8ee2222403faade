#include "ssync/base/clock.h"

#include <ctime>
#include <thread>

#include <gtest/gtest.h>

namespace ssync {
namespace {

using std::chrono::milliseconds;

TEST(ClockTest, SleepEndsAtTheDeadline) {
  SystemClock clock;
  const SteadyTime deadline = clock.now() + milliseconds(5);

  EXPECT_TRUE(clock.sleep_until(deadline, {}));
  EXPECT_GE(clock.now(), deadline);
}

TEST(ClockTest, SleepUntilThePastReturnsAtOnce) {
  SystemClock clock;
  EXPECT_TRUE(clock.sleep_until(clock.now() - milliseconds(5), {}));
}

TEST(ClockTest, StopEndsTheSleep) {
  SystemClock clock;
  bool reached = true;
  std::jthread sleeper([&](const std::stop_token& stop) {
    reached = clock.sleep_until(clock.now() + std::chrono::hours(1), stop);
  });

  sleeper.request_stop();
  sleeper.join();

  EXPECT_FALSE(reached);
}

TEST(ClockTest, WallTimeIsTheSystemsAndOrdersChronologically) {
  const auto before = static_cast<std::int64_t>(std::time(nullptr));
  const WallTime now = SystemClock().wall();

  EXPECT_GE(now.s, before - 1);  // time(2) may lag by a tick
  EXPECT_GE(now.ns, 0);
  EXPECT_LT(now.ns, 1'000'000'000);
  EXPECT_LT((WallTime{1, 999'999'999}), (WallTime{2, 0}));
}

}  // namespace
}  // namespace ssync
