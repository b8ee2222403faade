#include "ssync/base/workers.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "ssync/base/thread_counts.h"

namespace ssync {
namespace {

using namespace std::chrono_literals;

TEST(WorkersTest, SleepingIsWaiting) {
  const std::uint64_t before = voluntary_switches();
  std::this_thread::sleep_for(1ms);
  EXPECT_GT(voluntary_switches(), before);
}

/// How many threads there were in the end, when each piece of work waited so often.
unsigned grown_to(std::uint64_t switches, Workers::Options options) {
  std::atomic<unsigned> begun{0};
  std::atomic<bool> done{false};
  Workers workers(options, [&] {
    ++begun;
    while (!done)
      std::this_thread::yield();
  });
  workers.start();
  for (int i = 0; i < 1000; ++i)
    workers.waited(switches);
  done = true;
  workers.join();
  return begun;
}

TEST(ThreadCountsTest, AreSharedByThoseThatWorkAtTheSameTime) {
  const ThreadCounts all{.busy = 4, .waiting = 16};
  EXPECT_EQ(all.shared_by(0), all);
  EXPECT_EQ(all.shared_by(1), all);
  EXPECT_EQ(all.shared_by(3), (ThreadCounts{.busy = 1, .waiting = 5}));
  EXPECT_EQ(all.shared_by(1000), (ThreadCounts{.busy = 1, .waiting = 2}));
  EXPECT_EQ((ThreadCounts{.busy = 1, .waiting = 1}.shared_by(1000)), (ThreadCounts{.busy = 1, .waiting = 1}));
}

TEST(WorkersTest, ThereAreAsManyAsAskedForWhileNobodyWaits) {
  EXPECT_EQ(grown_to(0, {.threads = 3, .threads_waiting = 8}), 3U);
}

TEST(WorkersTest, WhoWaitsIsJoinedByOthersUpToTheLimit) {
  EXPECT_EQ(grown_to(1, {.threads = 1, .threads_waiting = 5}), 5U);
}

TEST(WorkersTest, MoreAtTheBeginningThanTheLimitStay) {
  EXPECT_EQ(grown_to(1, {.threads = 4, .threads_waiting = 1}), 4U);
}

TEST(WorkersTest, OneIsJudgedByItsPiecesTogether) {
  EXPECT_EQ(grown_to(1, {.threads = 1, .threads_waiting = 5, .judged = 400}), 3U);
}

TEST(WorkersTest, TheEndIsSaidOnce) {
  std::atomic<int> running{0}, ended{0};
  Workers* itself = nullptr;
  Workers workers(
      {.threads = 4, .threads_waiting = 16, .judged = 1},
      [&] {
        ++running;
        itself->waited(1);
        std::this_thread::sleep_for(1ms);
        --running;
      },
      [&] {
        EXPECT_EQ(running, 0);
        ++ended;
      });
  itself = &workers;
  workers.start();
  workers.join();
  EXPECT_EQ(ended, 1);
}

TEST(WorkersTest, NoneIsAddedToThoseThatAreJoined) {
  std::atomic<unsigned> begun{0};
  Workers workers({.threads = 1, .threads_waiting = 8, .judged = 1}, [&] { ++begun; });
  workers.start();
  workers.join();
  workers.waited(10);
  EXPECT_EQ(begun, 1U);
}

}  // namespace
}  // namespace ssync
