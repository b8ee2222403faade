#include "ssync/session/backoff.h"

#include <vector>

#include <gtest/gtest.h>

namespace ssync::session {
namespace {

using std::chrono::milliseconds;

std::vector<milliseconds> first(Backoff& backoff, std::size_t count) {
  std::vector<milliseconds> waits;
  for (std::size_t i = 0; i < count; ++i)
    waits.push_back(backoff.next());
  return waits;
}

TEST(BackoffTest, DoublesFromAQuarterSecondToHalfAMinuteEachWithinAQuarter) {
  Backoff backoff(1);
  for (const int base : {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}) {
    const milliseconds wait = backoff.next();
    EXPECT_GE(wait, milliseconds(base * 3 / 4));
    EXPECT_LE(wait, milliseconds(base * 5 / 4));
  }
}

TEST(BackoffTest, StartsAgainAfterSuccess) {
  Backoff backoff(1);
  (void)first(backoff, 5);
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(313));
}

TEST(BackoffTest, RepeatsWithItsSeedAndDiffersWithout) {
  Backoff one(7), same(7), other(8);
  const std::vector<milliseconds> waits = first(one, 6);
  EXPECT_EQ(waits, first(same, 6));
  EXPECT_NE(waits, first(other, 6));  // clients of a server that went away do not all come back at once
}

}  // namespace
}  // namespace ssync::session
