#include "credit.h"

#include <list>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session {
namespace {

// A data message of ServerRig and ClientRig is charged with 1,080 bytes and its payload; their window is
// 10,000.

TEST(CreditTest, GrantStopsAtTheLimitAndChargesNothingThen) {
  CreditPool pool(100, 100);
  CreditGrant grant(pool);
  EXPECT_TRUE(grant.charge(60));
  EXPECT_FALSE(grant.charge(41));
  EXPECT_EQ(grant.used(), 60U);
  EXPECT_TRUE(grant.charge(40));
}

TEST(CreditTest, GrantIsDueFromAQuarterOfTheLeast) {
  CreditPool pool(100, 100);
  CreditGrant grant(pool);
  EXPECT_TRUE(grant.charge(100));
  grant.give_back(24);
  EXPECT_FALSE(grant.due());
  grant.give_back(1);
  EXPECT_TRUE(grant.due());
  EXPECT_EQ(grant.tell(), 125U);
  EXPECT_EQ(grant.untold(), 0U);
}

TEST(CreditTest, MoreIsNeverGivenBackThanWasUsed) {
  CreditPool pool(100, 100);
  CreditGrant grant(pool);
  EXPECT_TRUE(grant.charge(10));
  grant.give_back(1000);
  EXPECT_EQ(grant.tell(), 110U);
}

TEST(CreditTest, GrantBeginsWithTheLeastAndIsWholeWhenNothingWaits) {
  CreditPool pool(800, 100);
  CreditGrant grant(pool);
  EXPECT_EQ(grant.untold(), 0U);
  EXPECT_EQ(grant.tell(), 100U);
  EXPECT_FALSE(grant.charge(101));
  EXPECT_TRUE(grant.charge(100));
  EXPECT_EQ(grant.untold(), 0U);
  grant.give_back(100);
  EXPECT_TRUE(grant.due());
  EXPECT_EQ(grant.tell(), 900U);
}

TEST(CreditTest, GrantIsLessTheMoreWaitsButNeverGoesBack) {
  CreditPool pool(800, 100);
  CreditGrant grant(pool);
  EXPECT_TRUE(grant.charge(100));
  grant.give_back(50);
  EXPECT_EQ(grant.tell(), 50U + 800U - 8U * 50U);
  EXPECT_TRUE(grant.charge(350));  // 400 wait
  grant.give_back(100);
  EXPECT_EQ(grant.untold(), 0U);
  EXPECT_EQ(grant.tell(), 450U);
  grant.give_back(250);
  EXPECT_EQ(grant.tell(), 400U + 800U - 8U * 50U);
}

TEST(CreditTest, GrantIsTheLeastForAWriterThatIsBehind) {
  CreditPool pool(800, 100);
  CreditGrant grant(pool);
  std::uint64_t limit = 100;
  for (int i = 0; i < 100; ++i) {  // whatever is granted is sent at once, and written piece by piece
    EXPECT_TRUE(grant.charge(limit - grant.used()));
    grant.give_back(10);
    limit = grant.tell();
    EXPECT_LE(limit - (100U + 10U * static_cast<unsigned>(i)), 100U);
  }
}

TEST(CreditTest, GrantsShareTheWindowAsTheyComeAndGo) {
  CreditPool pool(800, 100);
  CreditGrant first(pool);
  EXPECT_TRUE(first.charge(100));
  first.give_back(100);
  EXPECT_EQ(first.tell(), 900U);
  {
    CreditGrant second(pool);
    EXPECT_TRUE(second.charge(100));
    second.give_back(100);
    EXPECT_EQ(second.untold(), 100U);  // no more than the least while the first has the window
    EXPECT_TRUE(first.charge(800));
    first.give_back(800);
    EXPECT_EQ(first.tell(), 1300U);
    EXPECT_EQ(second.tell(), 500U);
    EXPECT_EQ(pool.out(), 800U);
  }
  EXPECT_EQ(pool.out(), 400U);
  EXPECT_EQ(first.tell(), 1700U);
}

TEST(CreditTest, ManyGrantsHaveTheLeastEachAndTogetherNoMoreThanTheirBound) {
  CreditPool pool(800, 100);
  std::list<CreditGrant> grants;
  for (std::uint64_t round = 1; round <= 20; ++round) {
    grants.emplace_back(pool);
    for (CreditGrant& grant : grants) {
      const std::uint64_t limit = grant.tell();
      EXPECT_TRUE(grant.charge(limit - grant.used()));
      EXPECT_LE(pool.out(), 800 + 100 * round);
      grant.give_back(round % 3 == 0 ? 50 : 1000);
    }
  }
}

TEST(CreditTest, UseHasNothingBeforeTheFirstGrantAndTheLimitOnlyGrows) {
  CreditUse use;
  EXPECT_FALSE(use.covers(1));
  EXPECT_TRUE(use.grant(50));
  EXPECT_EQ(use.use(30), 0U);
  EXPECT_EQ(use.use(20), 30U);
  EXPECT_FALSE(use.covers(1));
  EXPECT_TRUE(use.grant(50));
  EXPECT_FALSE(use.grant(49));
}

TEST(CreditTest, ServerTellsAQuarterAtOnceAndSmallTailsAfterATenthOfASecond) {
  ServerRig rig;
  rig.sending();
  rig.data(3000);
  EXPECT_EQ(rig.returned(2499), Lines{});
  EXPECT_EQ(rig.returned(1), (Lines{"2 <- credit 1 to 12500"}));
  EXPECT_EQ(rig.returned(100), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(99)), Lines{});
  EXPECT_EQ(rig.server.next_deadline(), rig.now + milliseconds(1));
  EXPECT_EQ(rig.tick(milliseconds(1)), (Lines{"2 <- credit 2 to 12600"}));
  EXPECT_EQ(rig.tick(milliseconds(500)), Lines{});
}

TEST(CreditTest, ServerEndsASessionThatSendsMoreThanItsCredit) {
  ServerRig rig;
  rig.sending();
  EXPECT_EQ(rig.data(8920), (Lines{"deliver 0"}));  // exactly the window
  EXPECT_EQ(rig.data(0), (Lines{"1 <- 5 error(flow)", "close: more file data than credit was given for"}));
}

TEST(CreditTest, ClientSendsUpToTheLimitAndGoesOnWithTheNextGrant) {
  ClientRig rig;
  rig.running();
  EXPECT_TRUE(rig.client.data_room(24, 8920));
  EXPECT_EQ(rig.data(8920), 0U);
  EXPECT_FALSE(rig.client.data_room(24, 0));
  EXPECT_EQ(rig.credit(1, 11080), Lines{});
  EXPECT_TRUE(rig.client.data_room(24, 0));
  EXPECT_EQ(rig.data(0), 10000U);
}

TEST(CreditTest, ClientRefusesCreditThatShrinksOrIsOutOfSequence) {
  ClientRig shrinking, gap;
  EXPECT_EQ(shrinking.running().credit(1, 9999), (Lines{"failed: protocol"}));
  EXPECT_EQ(gap.running().credit(2, 20000), (Lines{"failed: protocol"}));
}

TEST(CreditTest, ClientGivesUpAfterAMinuteInWhichNothingMoves) {
  ClientRig rig;
  rig.running();
  EXPECT_FALSE(rig.client.data_room(24, 9000));
  EXPECT_EQ(rig.tick(), Lines{});
  std::uint32_t seq = 2;
  for (int i = 0; i < 11; ++i) {  // heartbeats alone are no progress
    rig.now += milliseconds(5000);
    rig.wait(seq++);
    EXPECT_EQ(rig.tick(), Lines{});
  }
  rig.now += milliseconds(4999);
  rig.wait(seq++);
  EXPECT_EQ(rig.tick(), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(1)), (Lines{"failed: idle_timeout, retry"}));
}

TEST(CreditTest, ProgressThatTheServerTellsIsProgressForTheClient) {
  ClientRig rig;
  rig.running();
  std::uint32_t seq = 2;
  for (std::uint64_t i = 1; i < 40; ++i) {
    EXPECT_FALSE(rig.client.data_room(24, 9000));
    EXPECT_EQ(rig.tick(milliseconds(5000)), Lines{});
    rig.wait(seq++, i);
  }
}

TEST(CreditTest, ClientGivesUpWithoutAFirstCredit) {
  ClientRig rig;
  rig.greeting().welcome();
  rig.now += milliseconds(9999);
  rig.wait(2);
  EXPECT_EQ(rig.tick(), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(1)), (Lines{"failed: idle_timeout, retry"}));
}

}  // namespace
}  // namespace ssync::session
