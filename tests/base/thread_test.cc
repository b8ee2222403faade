#include "ssync/base/thread.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/base/mutex.h"
#include "ssync/support/sanitizers.h"

namespace ssync {
namespace {

TEST(ThreadTest, JoinWaitsAndSeesWhatWasWritten) {
  int written = 0;
  Thread thread([&] { written = 7; });
  EXPECT_TRUE(thread.joinable());
  thread.join();
  EXPECT_FALSE(thread.joinable());
  EXPECT_EQ(written, 7);
}

TEST(ThreadTest, ItsFunctionIsGoneWhenItIsJoined) {
  auto held = std::make_shared<int>(1);
  Thread thread([held] {});
  thread.join();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadTest, DestructorAndAssignmentJoin) {
  std::atomic<int> ended{0};
  {
    Thread thread([&] { ++ended; });
    thread = Thread([&] { ++ended; });
    EXPECT_GE(ended, 1);
  }
  EXPECT_EQ(ended, 2);
}

TEST(ThreadTest, SystemThreadsAreUsedAgain) {
  Mutex mutex;
  std::set<std::thread::id> seen;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    Thread([&] {
      MutexLock lock(mutex);
      seen.insert(std::this_thread::get_id());
    }).join();
  }
  // One that has just been joined may not wait for work yet, so there may be a few.
  EXPECT_LT(seen.size(), std::size_t{kRounds} / 2);
}

TEST(ThreadTest, AllRunAtTheSameTime) {
  constexpr unsigned kMany = 3 * Thread::kIdleThreads;
  for (int round = 0; round < 3; ++round) {
    std::atomic<unsigned> there{0};
    std::vector<Thread> threads;
    for (unsigned i = 0; i < kMany; ++i) {
      threads.emplace_back([&] {
        ++there;
        while (there < kMany)
          std::this_thread::yield();
      });
    }
    threads.clear();
    EXPECT_EQ(there, kMany);
  }
}

TEST(ThreadTest, OneMayBeginAnotherAndWaitForIt) {
  int depth = 0;
  Thread([&] { Thread([&] { Thread([&] { ++depth; }); }); }).join();
  EXPECT_EQ(depth, 1);
}

TEST(ThreadTest, AChildOfForkDoesNotWaitForThreadsOfItsParent) {
  if (support::kHasThreadSanitizer)
    GTEST_SKIP() << "the thread sanitizer knows no threads that begin after such a fork";
  Thread([] {}).join();
  const pid_t child = ::fork();
  if (child == 0) {
    int done = 0;
    Thread([&] { done = 1; }).join();
    ::_exit(done);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

}  // namespace
}  // namespace ssync
