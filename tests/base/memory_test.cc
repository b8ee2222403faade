#include "ssync/base/memory.h"

#include <sys/resource.h>

#include <array>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "ssync/support/sanitizers.h"

namespace ssync {
namespace {

constexpr std::size_t kBlock = 512 * 1024;
constexpr std::size_t kPage = 4096;

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/// As a receiver does: a few at once, written from end to end.
void take_and_free() {
  std::array<std::unique_ptr<std::byte[]>, 8> blocks;
  for (auto& block : blocks) {
    block = std::make_unique_for_overwrite<std::byte[]>(kBlock);
    std::memset(block.get(), 1, kBlock);
  }
}

TEST(MemoryTest, FreedBlocksAreUsedAgainWithoutPageFaults) {
  if (support::kHasSanitizer) GTEST_SKIP() << "malloc is the sanitizer's";
  keep_freed_memory(kBlock, 64 * kBlock);
  take_and_free();
  const long before = page_faults();
  for (int i = 0; i < 16; ++i)
    take_and_free();
  EXPECT_LT(page_faults() - before, static_cast<long>(kBlock / kPage));
}

}  // namespace
}  // namespace ssync
