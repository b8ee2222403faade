#include "ssync/base/event_fd.h"

#include <poll.h>

#include <thread>

#include <gtest/gtest.h>

namespace ssync {
namespace {

bool readable(const EventFd& event, int timeout_ms) {
  pollfd poll_fd{event.fd(), POLLIN, 0};
  return ::poll(&poll_fd, 1, timeout_ms) == 1;
}

TEST(EventFdTest, ReadableFromSignalUntilDrain) {
  EventFd event = EventFd::create().value();
  EXPECT_FALSE(readable(event, 0));
  EXPECT_FALSE(event.drain());

  event.signal();
  event.signal();
  EXPECT_TRUE(readable(event, 0));

  EXPECT_TRUE(event.drain());
  EXPECT_FALSE(readable(event, 0));
}

TEST(EventFdTest, SignalWakesAPollInAnotherThread) {
  EventFd event = EventFd::create().value();
  bool woken = false;
  std::thread poller([&] { woken = readable(event, 10'000); });

  event.signal();
  poller.join();

  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace ssync
