// Workers, window and stopping.
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

support::Node bushy(const std::string& name, int depth) {
  support::Node node = dir(name);
  for (int i = 0; i < 4; ++i) {
    node.children.push_back(file("f" + std::to_string(i), name));
    if (depth > 0) node.children.push_back(bushy("d" + std::to_string(i), depth - 1));
  }
  return node;
}

class ScannerThreadsTest : public ScannerTest {
 protected:
  FakeTree tree_{{bushy("top", 3), dir("zz", file("last"))}};
};

TEST_F(ScannerThreadsTest, EveryWindowAndThreadCountGivesTheSame) {
  tree_.tick();
  index::Index idx = open_index();
  const Scanned expected = scan(tree_, idx, {.threads = 1});
  for (const unsigned threads : {1u, 2u, 3u, 8u, 1000u}) {
    for (const std::size_t window : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
      const Scanned scanned = scan(tree_, idx, {.threads = threads, .window_entries = window});
      ASSERT_EQ(scanned.paths, expected.paths) << threads << " threads, window " << window;
      ASSERT_EQ(scanned.locations, expected.locations);
    }
  }
}

// How far the workers got while nobody took anything: they stop by themselves at the window's end.
TEST_F(ScannerThreadsTest, TheWindowBoundsWhatIsReadAhead) {
  index::Index idx = open_index();
  std::atomic<int> stats{0};
  tree_.on_operation(
      [&](const support::FakeOperation& operation) { stats += operation.op == FakeOp::stat ? 1 : 0; });
  const auto run = [&](std::size_t window) {
    stats = 0;
    Scanner scanner(tree_, idx, {.threads = 1, .window_entries = window});
    // The fifth block cannot have come from a reader that ran away: every directory has at most eight
    // entries.
    for (int i = 0; i < 5; ++i)
      EXPECT_TRUE(scanner.next());
    return stats.load();
  };
  EXPECT_LE(run(1), 8 * 8);
}

// A thread that waits for a disk does not need a processor; another one can have the next request under way.
TEST_F(ScannerThreadsTest, ThereAreMoreThreadsWhenTheyWait) {
  // Many directories: the last thread is to find some that nobody has listed.
  FakeTree tree{{bushy("top", 4)}};
  index::Index idx = open_index();
  const auto threads_of_a_scan = [&](std::chrono::milliseconds delay) {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    tree.on_operation([&](const support::FakeOperation& operation) {
      if (operation.op != FakeOp::list) return;
      std::this_thread::sleep_for(delay);
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
    (void)scan(tree, idx, {.threads = 1, .threads_waiting = 4}, Commit::no);
    tree.on_operation({});
    return seen.size();
  };
  EXPECT_EQ(threads_of_a_scan(std::chrono::milliseconds(0)), 1U);
  EXPECT_EQ(threads_of_a_scan(std::chrono::milliseconds(1)), 4U);
}

TEST_F(ScannerThreadsTest, NothingIsTouchedBeforeTheFirstNext) {
  index::Index idx = open_index();
  tree_.clear_operations();
  Scanner scanner(tree_, idx, {.threads = 2});
  EXPECT_TRUE(tree_.operations().empty());
  ASSERT_TRUE(scanner.next());
  EXPECT_FALSE(tree_.operations().empty());
}

TEST_F(ScannerThreadsTest, StopEndsAScanThatWaitsForADirectory) {
  index::Index idx = open_index();
  std::atomic<bool> hold{true};
  std::atomic<bool> reached{false};
  tree_.on_operation([&](const support::FakeOperation& operation) {
    if (operation.path != "zz/last") return;
    reached = true;
    while (hold)
      std::this_thread::yield();
  });
  Scanner scanner(tree_, idx, {.threads = 2, .window_entries = 1});
  std::jthread stopper([&] {
    while (!reached)
      std::this_thread::yield();
    scanner.stop();
    hold = false;
  });
  Result<std::optional<ScanBlock>> block = scanner.next();
  while (block && *block)
    block = scanner.next();
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().code, Errc::interrupted);
}

TEST_F(ScannerThreadsTest, AScannerMayBeDroppedAtAnyTime) {
  index::Index idx = open_index();
  for (int taken = 0; taken < 20; ++taken) {
    Scanner scanner(tree_, idx, {.threads = 4, .window_entries = 2});
    for (int i = 0; i < taken; ++i)
      ASSERT_TRUE(scanner.next());
  }
  EXPECT_FALSE(open_index().exists());
}

TEST_F(ScannerThreadsTest, CursorsOfTwoWorkersAndAppendsRunTogether) {
  tree_.tick();
  index::Index idx = open_index();
  scan(tree_, idx);
  std::jthread appender([&] {
    for (int i = 0; i < 500; ++i)
      ASSERT_TRUE(idx.append({"top", "new" + std::to_string(i)}, index::Record{}));
  });
  const Scanned scanned = scan(tree_, idx, {.threads = 4}, Commit::no);
  appender.join();
  EXPECT_TRUE(std::none_of(scanned.rows.begin(), scanned.rows.end(),
                           [](const auto& row) { return row.second.doubt; }));
}

}  // namespace
}  // namespace ssync::scanner::test
