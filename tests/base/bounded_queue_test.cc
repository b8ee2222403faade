#include "ssync/base/bounded_queue.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/base/event_fd.h"

namespace ssync {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(BoundedQueueTest, ComesOutInTheOrderItWentIn) {
  BoundedQueue<int> queue(3);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.try_pop(), 2);
  EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(BoundedQueueTest, TryPushMovesOnlyOnSuccess) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);

  EXPECT_EQ(queue.try_push(first), PushResult::pushed);
  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(queue.try_push(second), PushResult::full);
  ASSERT_NE(second, nullptr);
  queue.close();
  EXPECT_EQ(queue.try_push(second), PushResult::closed);
  EXPECT_NE(second, nullptr);
}

TEST(BoundedQueueTest, ClosedQueueRefusesPushesAndDrainsFirst) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.push(1));
  queue.close();
  queue.close();

  EXPECT_TRUE(queue.closed());
  EXPECT_FALSE(queue.finished());
  EXPECT_FALSE(queue.push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_TRUE(queue.finished());
}

TEST(BoundedQueueTest, CloseWakesABlockedPush) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.push(1));
  bool pushed = true;
  std::thread producer([&] { pushed = queue.push(2); });

  queue.close();
  producer.join();

  EXPECT_FALSE(pushed);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueueTest, CloseWakesEveryBlockedPop) {
  BoundedQueue<int> queue(1);
  std::atomic<int> ended = 0;
  std::vector<std::thread> consumers;
  for (int i = 0; i < 3; ++i) {
    consumers.emplace_back([&] {
      if (!queue.pop()) ++ended;
    });
  }

  queue.close();
  for (std::thread& consumer : consumers)
    consumer.join();

  EXPECT_EQ(ended, 3);
}

TEST(BoundedQueueTest, PopUntilGivesUpAtTheDeadline) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.pop_until(steady_clock::now() + milliseconds(2)), std::nullopt);
  EXPECT_FALSE(queue.finished());
  ASSERT_TRUE(queue.push(1));
  EXPECT_EQ(queue.pop_until(steady_clock::now()), 1);
  queue.close();
  EXPECT_EQ(queue.pop_until(steady_clock::now() + std::chrono::hours(1)), std::nullopt);
}

TEST(BoundedQueueTest, CapacityOnePingPongKeepsOrder) {
  constexpr int kRounds = 2000;
  BoundedQueue<int> there(1);
  BoundedQueue<int> back(1);
  // Ends when `there` is closed.
  std::thread echo([&] {
    while (auto item = there.pop()) {
      if (!back.push(*item)) return;
    }
    back.close();
  });
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(there.push(i));
    ASSERT_EQ(back.pop(), i);
  }
  there.close();
  EXPECT_EQ(back.pop(), std::nullopt);
  echo.join();
}

TEST(BoundedQueueTest, ManyProducersAndConsumersLoseAndRepeatNothing) {
  constexpr int kProducers = 4;
  constexpr int kItems = 1000;
  BoundedQueue<int> queue(3);
  std::vector<std::atomic<int>> seen(kProducers * kItems);
  std::vector<std::thread> producers;
  std::vector<std::thread> consumers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (int i = 0; i < kItems; ++i)
        EXPECT_TRUE(queue.push(p * kItems + i));
    });
  }
  for (int c = 0; c < 3; ++c) {
    consumers.emplace_back([&] {
      while (auto item = queue.pop())
        ++seen[static_cast<std::size_t>(*item)];
    });
  }
  for (std::thread& producer : producers)
    producer.join();
  queue.close();
  for (std::thread& consumer : consumers)
    consumer.join();

  for (const std::atomic<int>& count : seen)
    ASSERT_EQ(count, 1);
}

TEST(BoundedQueueTest, ItemCallbackRunsAfterEachPushAndAfterClose) {
  BoundedQueue<int> queue(2);
  std::vector<std::size_t> sizes;
  queue.on_item([&] { sizes.push_back(queue.size()); });  // size() would deadlock inside the lock

  int third = 3;
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.try_push(third), PushResult::full);
  queue.close();

  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 2, 2}));
}

TEST(BoundedQueueTest, SpaceCallbackRunsWhenAFullQueueHasRoomAndAfterClose) {
  BoundedQueue<int> queue(2);
  int calls = 0;
  queue.on_space([&] { ++calls; });
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));

  EXPECT_TRUE(queue.pop().has_value());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(queue.try_pop().has_value());
  EXPECT_FALSE(queue.try_pop().has_value());
  EXPECT_EQ(calls, 1);
  queue.close();
  EXPECT_EQ(calls, 2);
}

TEST(BoundedQueueTest, SpaceCallbackRunsOnceForAQueueThatWasFull) {
  BoundedQueue<int> queue(6);
  std::vector<std::size_t> sizes;
  queue.on_space([&] { sizes.push_back(queue.size()); });
  for (int i = 0; i < 6; ++i)
    EXPECT_TRUE(queue.push(i));
  for (int i = 0; i < 6; ++i)
    EXPECT_TRUE(queue.pop().has_value());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3}));

  EXPECT_TRUE(queue.push(6));
  EXPECT_TRUE(queue.pop().has_value());
  EXPECT_EQ(sizes.size(), 1U);  // it was not full since
}

TEST(BoundedQueueTest, PollingConsumerSeesEveryItemAndTheEnd) {
  constexpr int kItems = 1000;
  BoundedQueue<int> queue(4);
  EventFd event = EventFd::create().value();
  queue.on_item([&] { event.signal(); });
  std::thread producer([&] {
    for (int i = 0; i < kItems; ++i)
      EXPECT_TRUE(queue.push(i));
    queue.close();
  });

  int expected = 0;
  while (!queue.finished()) {
    if (!event.drain()) {
      std::this_thread::yield();
      continue;
    }
    while (auto item = queue.try_pop())
      EXPECT_EQ(*item, expected++);
  }
  producer.join();

  EXPECT_EQ(expected, kItems);
}

}  // namespace
}  // namespace ssync
