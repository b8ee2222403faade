#include "ssync/base/mutex.h"

#include <thread>

#include <gtest/gtest.h>

namespace ssync {
namespace {

struct Gate {
  Mutex mutex;
  CondVar opened;
  bool open SSYNC_GUARDED_BY(mutex) = false;
};

TEST(MutexTest, WaitUntilReportsThePassedDeadlineAndHoldsTheLock) {
  Gate gate;
  MutexLock lock(gate.mutex);
  while (gate.opened.wait_until(gate.mutex, std::chrono::steady_clock::now())) {
  }
  EXPECT_FALSE(gate.open);
}

TEST(MutexTest, WaiterSeesWhatTheNotifierWrote) {
  Gate gate;
  std::thread opener([&] {
    {
      MutexLock lock(gate.mutex);
      gate.open = true;
    }
    gate.opened.notify_all();
  });
  {
    MutexLock lock(gate.mutex);
    while (!gate.open)
      gate.opened.wait(gate.mutex);
    EXPECT_TRUE(gate.open);
  }
  opener.join();
}

TEST(MutexTest, UnlockEndsTheLockEarly) {
  Gate gate;
  MutexLock lock(gate.mutex);
  lock.unlock();
  MutexLock again(gate.mutex);
  gate.open = true;
}

}  // namespace
}  // namespace ssync
