#include "ssync/base/overflow_queue.h"

#include <vector>

#include <gtest/gtest.h>

namespace ssync {
namespace {

std::vector<int> drained(BoundedQueue<int>& queue) {
  std::vector<int> items;
  while (std::optional<int> item = queue.try_pop())
    items.push_back(*item);
  return items;
}

TEST(OverflowQueueTest, KeepsTheOrderOverAQueueThatIsFull) {
  BoundedQueue<int> queue(2);
  OverflowQueue<int> in(queue);
  for (int i = 0; i < 5; ++i)
    in.put(i);
  EXPECT_EQ(in.waiting(), 3U);
  std::vector<int> seen = drained(queue);
  EXPECT_FALSE(in.flush());
  in.put(5);  // behind what still waits, although there may be room by now
  for (bool all = false; !all;) {
    for (const int item : drained(queue))
      seen.push_back(item);
    all = in.flush();
  }
  for (const int item : drained(queue))
    seen.push_back(item);
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(OverflowQueueTest, DropsForAConsumerThatHasEnded) {
  BoundedQueue<int> queue(1);
  OverflowQueue<int> in(queue);
  in.put(1);
  in.put(2);
  queue.close();
  EXPECT_TRUE(in.flush());
  in.put(3);
  EXPECT_EQ(in.waiting(), 0U);
  EXPECT_EQ(drained(queue), (std::vector<int>{1}));
}

}  // namespace
}  // namespace ssync
