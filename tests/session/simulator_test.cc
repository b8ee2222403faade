// Many made-up worlds, each from one seed. SSYNC_SEED=<n> runs that one alone.
#include "simulator.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "ssync/support/sanitizers.h"

namespace ssync::session::simulator {
namespace {

constexpr std::uint64_t kSeeds = support::kHasSanitizer ? 300 : 3000;

TEST(SimulatorTest, EveryMirrorBecomesRightWhateverTheNetworkDoes) {
  if (const char* seed = std::getenv("SSYNC_SEED")) {
    EXPECT_EQ(World(std::strtoull(seed, nullptr, 10)).run(), "");
    return;
  }
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    ASSERT_EQ(World(seed).run(), "") << "again with SSYNC_SEED=" << seed;
  }
}

}  // namespace
}  // namespace ssync::session::simulator
