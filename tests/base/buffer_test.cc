#include "ssync/base/buffer.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace ssync {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string_view text_of(const Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size()};
}

bool page_aligned(const Buffer& buffer) {
  return reinterpret_cast<std::uintptr_t>(buffer.bytes().data()) % 4096 == 0;
}

TEST(BufferTest, CopyOwnsItsBytes) {
  std::string text = "hello";
  const Buffer buffer = Buffer::copy_of(bytes_of(text));
  text = "other";
  EXPECT_EQ(text_of(buffer), "hello");
}

TEST(BufferTest, EmptyBuffersAreFine) {
  EXPECT_TRUE(Buffer().empty());
  EXPECT_TRUE(Buffer::allocate(0).empty());
  EXPECT_TRUE(Buffer::copy_of({}).share().empty());
}

TEST(BufferTest, MovedFromIsEmpty) {
  Buffer from = Buffer::copy_of(bytes_of("hello"));
  const Buffer to = std::move(from);
  EXPECT_EQ(text_of(to), "hello");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): being empty is the contract
}

TEST(BufferTest, ShareKeepsTheMemoryAlive) {
  Buffer part;
  {
    const Buffer whole = Buffer::copy_of(bytes_of("hello world"));
    part = whole.share();
    EXPECT_EQ(part.bytes().data(), whole.bytes().data());
  }
  EXPECT_EQ(text_of(part), "hello world");
}

TEST(BufferTest, AdoptReleasesTheOwnerWithTheLastHandle) {
  auto owner = std::make_shared<std::vector<std::byte>>(16);
  const std::weak_ptr<void> watch = owner;
  const std::span<std::byte> bytes(*owner);
  Buffer first = Buffer::adopt(std::move(owner), bytes);
  Buffer second = first.share();

  first = Buffer();
  EXPECT_FALSE(watch.expired());
  second = Buffer();
  EXPECT_TRUE(watch.expired());
}

TEST(BufferTest, ShortenCutsTheViewOnly) {
  Buffer buffer = Buffer::copy_of(bytes_of("hello"));
  const Buffer other = buffer.share();
  buffer.shorten(2);
  EXPECT_EQ(text_of(buffer), "he");
  EXPECT_EQ(text_of(other), "hello");
}

TEST(BufferTest, LargeBuffersArePageAligned) {
  EXPECT_TRUE(page_aligned(Buffer::allocate(100'000)));
}

TEST(BufferPoolTest, GivesAtMostItsBoundAndReusesWhatReturns) {
  BufferPool pool(4096, 2);
  Buffer first = pool.try_take().value();
  const Buffer second = pool.try_take().value();
  EXPECT_TRUE(page_aligned(first));
  EXPECT_EQ(first.size(), 4096U);
  EXPECT_FALSE(pool.try_take().has_value());

  const std::byte* const memory = first.bytes().data();
  first = Buffer();

  EXPECT_EQ(pool.buffers_out(), 1U);
  EXPECT_EQ(pool.take().value().bytes().data(), memory);
}

TEST(BufferPoolTest, BufferIsOutUntilItsLastPartIsReleased) {
  BufferPool pool(64, 1);
  Buffer whole = pool.try_take().value();
  Buffer part = whole.share();
  part.shorten(8);
  whole = Buffer();
  EXPECT_FALSE(pool.try_take().has_value());
  part = Buffer();
  EXPECT_TRUE(pool.try_take().has_value());
}

TEST(BufferPoolTest, TakeWaitsForAReturnFromAnotherThread) {
  BufferPool pool(64, 1);
  std::thread releaser([buffer = pool.take().value()]() mutable { buffer = Buffer(); });
  EXPECT_TRUE(pool.take().has_value());
  releaser.join();
}

TEST(BufferPoolTest, CloseWakesATake) {
  BufferPool pool(64, 1);
  const Buffer held = pool.take().value();
  bool got = true;
  std::thread taker([&] { got = pool.take().has_value(); });
  pool.close();
  taker.join();
  EXPECT_FALSE(got);
  EXPECT_FALSE(pool.try_take().has_value());
}

TEST(BufferPoolTest, BuffersOutliveThePool) {
  Buffer survivor;
  {
    BufferPool pool(64, 2);
    survivor = pool.take().value();
  }
  std::ranges::fill(survivor.writable(), std::byte{7});
  EXPECT_EQ(survivor.bytes()[63], std::byte{7});
}

TEST(BufferPoolTest, BuffersOfOneBlockAreApart) {
  constexpr std::size_t kBytes = 512 * 1024;  // four make a block of 2 MiB, and the fifth is alone
  BufferPool pool(kBytes, 5);
  std::vector<Buffer> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(pool.try_take().value());
    ASSERT_EQ(all.back().size(), kBytes);
    EXPECT_TRUE(page_aligned(all.back()));
    std::ranges::fill(all.back().writable(), static_cast<std::byte>(i));
  }
  EXPECT_FALSE(pool.try_take().has_value());
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(std::ranges::all_of(all[static_cast<std::size_t>(i)].bytes(),
                                    [&](std::byte byte) { return byte == static_cast<std::byte>(i); }));
  }
}

TEST(BufferPoolTest, ManyThreadsNeverShareABuffer) {
  BufferPool pool(64, 3);
  std::atomic<int> mixed = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&, mark = static_cast<std::byte>(id)] {
      for (int i = 0; i < 500; ++i) {
        Buffer buffer = pool.take().value();
        std::ranges::fill(buffer.writable(), mark);
        Buffer part = buffer.share();
        part.shorten(32);
        buffer = Buffer();
        if (std::ranges::any_of(part.bytes(), [&](std::byte byte) { return byte != mark; })) ++mixed;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(mixed, 0);
  EXPECT_EQ(pool.buffers_out(), 0U);
}

}  // namespace
}  // namespace ssync
