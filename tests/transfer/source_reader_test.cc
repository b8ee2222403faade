// Files that change while they are read. The fake tree calls back before each operation, so a change comes
// exactly where it hurts.
#include "ssync/transfer/source_reader.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/fake_tree.h"

#include "rig.h"

namespace ssync::transfer {
namespace {

using support::FakeOp;
using support::FakeOperation;
using support::FakeTree;
using support::file;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kLong(10'000, 'a');

class ChangingFileTest : public testing::Test {
 protected:
  /// `change` at the n-th read, and at every `again`-th one after it.
  void at_read(int n, std::function<void()> change, int again = 0) {
    source_.on_operation([this, n, change = std::move(change), again](const FakeOperation& operation) {
      if (operation.op != FakeOp::read) return;
      const int read = ++reads_;
      if (read != n && (again == 0 || read < n || (read - n) % again != 0)) return;
      source_.tick();
      change();
    });
  }
  PipeResult run(const std::string& path, bool any_content = false) {
    PipeOptions options;
    options.reader.chunk_bytes = 4096;
    fs::Staging staging(mirror_);
    Change request = change_to(Op::request, path, source_, mirror_);
    std::get<Change::Request>(request.step).any_content = any_content;
    return pipe(source_, mirror_, staging, {request}, options);
  }

  FakeTree source_{std::vector<support::Node>{file("short", "first"), file("long", kLong)}};
  FakeTree mirror_;
  std::atomic<int> reads_{0};
};

TEST_F(ChangingFileTest, SendsTheSizeFromBeforeWhenItOnlyGrew) {
  const Seen before = source_.stat("long").seen;
  at_read(2, [this] { source_.append("long", "more"); });
  const PipeResult result = run("long");
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(mirror_.read("long"), kLong);
  ASSERT_EQ(result.sent.size(), 1U);
  EXPECT_FALSE(result.sent[0].exact);
  EXPECT_EQ(result.sent[0].values, before.values);
  EXPECT_EQ(result.sent[0].seen.values, before.values);
  EXPECT_EQ(result.sent[0].seen.ctime, source_.clock());
}

TEST_F(ChangingFileTest, StartsAgainWhenItIsRewrittenLonger) {
  at_read(2, [this] { source_.write("long", std::string(11'000, 'b')); });
  const PipeResult result = run("long");
  EXPECT_THAT(result.published, ElementsAre("long"));
  EXPECT_EQ(mirror_.read("long"), std::string(11'000, 'b'));
  EXPECT_TRUE(result.sent[0].exact);
}

TEST_F(ChangingFileTest, StartsAgainWhenItIsOverwritten) {
  at_read(3, [this] { source_.write("long", std::string(10'000, 'b')); });
  EXPECT_THAT(run("long").published, ElementsAre("long"));
  EXPECT_EQ(mirror_.read("long"), std::string(10'000, 'b'));
}

TEST_F(ChangingFileTest, StartsAgainWhenItIsTruncated) {
  at_read(2, [this] { source_.write("long", "short now"); });
  EXPECT_THAT(run("long").published, ElementsAre("long"));
  EXPECT_EQ(mirror_.read("long"), "short now");
}

TEST_F(ChangingFileTest, StartsAgainWhenItIsEmptied) {
  at_read(2, [this] { source_.write("long", ""); });
  EXPECT_THAT(run("long").published, ElementsAre("long"));
  EXPECT_EQ(mirror_.read("long"), "");
}

TEST_F(ChangingFileTest, TakesTheFileThatTookItsPlace) {
  at_read(2, [this] { source_.add(file("long", "another file")); });
  EXPECT_THAT(run("long").published, ElementsAre("long"));
  EXPECT_EQ(mirror_.read("long"), "another file");
}

TEST_F(ChangingFileTest, FailsWhenItGoesAwayBetweenTries) {
  at_read(2, [this] { source_.erase("long"); });
  EXPECT_THAT(run("long").failures, ElementsAre("long: open: No such file or directory"));
  EXPECT_FALSE(mirror_.exists("long"));
}

TEST_F(ChangingFileTest, RereadsAShortFileWithoutARestart) {
  at_read(1, [this] { source_.write("short", "other"); });
  const PipeResult result = run("short");
  EXPECT_EQ(mirror_.read("short"), "other");
  EXPECT_EQ(result.messages, 1U);
}

TEST_F(ChangingFileTest, GivesUpAfterThreeTriesAndKeepsTheOldCopy) {
  mirror_.add(file("long", "old copy"));
  at_read(
      1, [this] { source_.write("long", std::string(10'000, static_cast<char>('a' + reads_.load()))); }, 1);
  const PipeResult result = run("long");
  EXPECT_THAT(result.failures, ElementsAre("long: it keeps changing while it is read"));
  EXPECT_EQ(mirror_.read("long"), "old copy");
  EXPECT_EQ(result.credited, result.charged);
}

TEST_F(ChangingFileTest, TheThirdReadingStandsWhereAnyContentWillDo) {
  at_read(
      1, [this] { source_.write("long", std::string(10'000, static_cast<char>('a' + reads_.load()))); }, 1);
  const PipeResult result = run("long", true);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_THAT(result.published, ElementsAre("long"));
  ASSERT_EQ(result.sent.size(), 1U);
  EXPECT_TRUE(result.sent[0].changed);
  EXPECT_FALSE(result.sent[0].exact);
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_TRUE(result.files[0].changed);
  // Three reads a try: of each piece what was there when it was read.
  EXPECT_EQ(mirror_.read("long"),
            std::string(4096, 'h') + std::string(4096, 'i') + std::string(10'000 - 2 * 4096, 'j'));
  EXPECT_LT(mirror_.stat("long").seen.values.mtime,
            FileTime({source_.stat("long").seen.values.mtime.s - 1, 0}));
}

TEST_F(ChangingFileTest, WhatWasReadOfAFileThatGetsShorterStands) {
  at_read(
      2, [this] { source_.write("long", "cut"); }, 1);
  const PipeResult result = run("long", true);
  EXPECT_THAT(result.published, ElementsAre("long"));
  EXPECT_EQ(mirror_.read("long"), "cut");
}

TEST_F(ChangingFileTest, AFileInPeaceIsSentAsItIsWhereAnyContentWouldDo) {
  const PipeResult result = run("long", true);
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_FALSE(result.files[0].changed);
  EXPECT_TRUE(result.sent[0].exact);
  EXPECT_EQ(mirror_.stat("long").seen.values.mtime, source_.stat("long").seen.values.mtime);
}

TEST_F(ChangingFileTest, FailsAFileThatCannotBeRead) {
  source_.fail_at(FakeOp::read, "long", EIO);
  EXPECT_THAT(run("long").failures, ElementsAre("long: read: Input/output error"));
}

TEST(SourceReaderTest, EndsOnStopWhileEverythingIsFull) {
  FakeTree source({file("a", std::string(100'000, 'x'))});
  BoundedQueue<ReadRequest> input(1);
  BoundedQueue<ReadOutput> output(1);
  SourceReader reader(source, {.threads = 2, .chunk_bytes = 4096, .pool_buffers = 2}, input, output);
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(input.push({RowId{0}, "", "a", {}}));
  reader.stop();
  while (output.pop()) {
  }
  EXPECT_TRUE(output.finished());
}

// How many threads read, when each read takes so long.
std::size_t reading_threads(std::chrono::milliseconds delay) {
  std::vector<support::Node> files;
  for (int i = 0; i < 100; ++i)
    files.push_back(file("f" + std::to_string(i), "text"));
  FakeTree source(files);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  source.on_operation([&](const FakeOperation& operation) {
    if (operation.op != FakeOp::read) return;
    if (delay > delay.zero()) std::this_thread::sleep_for(delay);
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  BoundedQueue<ReadRequest> input(100);
  BoundedQueue<ReadOutput> output(1000);
  for (RowId row = 0; row < 100; ++row)
    EXPECT_TRUE(input.push({row, "", "f" + std::to_string(row), {}}));
  input.close();
  std::size_t finished = 0;
  SourceReader reader(source, {.threads_waiting = 4}, input, output);
  while (const auto sent = output.pop())
    finished += std::get<Chunk>(*sent).finished.size();
  EXPECT_EQ(finished, 100U);
  return seen.size();
}

TEST(SourceReaderTest, ThereAreMoreThreadsWhenSmallFilesHaveToBeWaitedFor) {
  EXPECT_EQ(reading_threads(std::chrono::milliseconds(0)), 1U);
  EXPECT_EQ(reading_threads(std::chrono::milliseconds(2)), 4U);
}

TEST(SourceReaderTest, SendsAPartlyFilledChunkWhenNothingElseIsAskedFor) {
  FakeTree source({file("a", "text")});
  BoundedQueue<ReadRequest> input(1);
  BoundedQueue<ReadOutput> output(1);
  SourceReader reader(source, {}, input, output);
  ASSERT_TRUE(input.push({RowId{3}, "", "a", {}}));
  const std::optional<ReadOutput> sent = output.pop();
  ASSERT_TRUE(sent && std::holds_alternative<Chunk>(*sent));
  EXPECT_EQ(std::get<Chunk>(*sent).segments, std::vector{[&] {
              wire::Segment segment = whole(3, "text", support::kBuiltMtime);
              return segment;
            }()});
  input.close();
  EXPECT_FALSE(output.pop().has_value());
}

TEST(SourceReaderTest, KeepsTheSegmentTableWithinItsLimit) {
  std::vector<support::Node> nodes;
  for (int i = 0; i < 4000; ++i)
    nodes.push_back(file(std::to_string(i)));
  FakeTree source(nodes);
  BoundedQueue<ReadRequest> input(4000);
  BoundedQueue<ReadOutput> output(100);
  for (int i = 0; i < 4000; ++i)
    ASSERT_TRUE(input.push({static_cast<RowId>(i), "", std::to_string(i), {}}));
  input.close();
  SourceReader reader(source, {}, input, output);
  std::size_t files = 0;
  while (std::optional<ReadOutput> sent = output.pop()) {
    const wire::DataHead head = head_of(std::move(std::get<Chunk>(*sent).segments));
    EXPECT_LE(wire::encode(head).size(), wire::kTableBytesMax);
    EXPECT_TRUE(wire::decode_data(wire::encode(head).bytes(), 0));
    files += head.segments.size();
  }
  EXPECT_EQ(files, 4000U);
}

}  // namespace
}  // namespace ssync::transfer
