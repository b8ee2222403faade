// The waiting room: whose turn it is, and that sessions do not disturb each other.
#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session {
namespace {

constexpr milliseconds kSecond{1000};

/// Client 1 has the turn, clients 3 and 5 wait in this order.
ServerRig& two_waiting(ServerRig& rig) {
  rig.running();
  EXPECT_EQ(rig.hello(3), (Lines{"3 <- 1 wait(turn, 1)"}));
  EXPECT_EQ(rig.hello(5), (Lines{"5 <- 1 wait(turn, 2)"}));
  return rig;
}

void end_session(ServerRig& rig) {
  rig.bye();
  rig.closed();
}

TEST(TurnsTest, ComeInTheOrderOfTheFirstHello) {
  ServerRig rig;
  end_session(two_waiting(rig));
  EXPECT_EQ(rig.hello(5), (Lines{"5 <- 2 wait(turn, 2)"}));
  EXPECT_EQ(rig.hello(7), (Lines{"7 <- 1 wait(turn, 3)"}));
  EXPECT_EQ(rig.hello(3), (Lines{"open 3"}));
  EXPECT_EQ(rig.server.waiting(), 2U);
}

TEST(TurnsTest, LapseAfterSixSecondsWithoutHello) {
  ServerRig rig;
  two_waiting(rig);
  rig.tick(5 * kSecond);
  rig.hello(5);
  end_session(rig);
  rig.tick(kSecond);
  EXPECT_EQ(rig.hello(5), (Lines{"open 5"}));
  EXPECT_EQ(rig.server.waiting(), 0U);
}

TEST(TurnsTest, AreGivenUpWithBye) {
  ServerRig rig;
  two_waiting(rig);
  EXPECT_EQ(rig.bye(20, 3), (Lines{"3 <- 2 ok"}));
  EXPECT_EQ(rig.server.waiting(), 1U);
  end_session(rig);
  EXPECT_EQ(rig.hello(5), (Lines{"open 5"}));
}

TEST(TurnsTest, AreLostWithTheConnection) {
  ServerRig rig;
  two_waiting(rig);
  EXPECT_EQ(rig.lost(3), Lines{});
  end_session(rig);
  EXPECT_EQ(rig.hello(5), (Lines{"open 5"}));
}

TEST(TurnsTest, AreLostWithABrokenRule) {
  ServerRig rig;
  two_waiting(rig);
  EXPECT_EQ(rig.next(0, 3), (Lines{"3 <- 2 error(session, retry)"}));
  EXPECT_EQ(rig.malformed(5), (Lines{"5 <- 0 error(protocol)"}));
  EXPECT_EQ(rig.server.waiting(), 0U);
}

TEST(TurnsTest, AreKeptByAClientThatComesBackOnAnotherConnection) {
  ServerRig rig;
  two_waiting(rig);
  EXPECT_EQ(rig.hello(9, 3), (Lines{"9 <- 1 wait(turn, 2)"}));
  EXPECT_EQ(rig.lost(3), Lines{});  // the old connection's end comes late
  end_session(rig);
  EXPECT_EQ(rig.hello(9, 3), (Lines{"open 9"}));
}

TEST(TurnsTest, AreLimitedInNumber) {
  ServerRig rig;  // three may wait
  two_waiting(rig).hello(7);
  EXPECT_EQ(rig.hello(9), (Lines{"9 <- 1 error(busy, retry)"}));
  EXPECT_EQ(rig.hello(3), (Lines{"3 <- 2 wait(turn, 3)"}));
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 9"}));
}

TEST(TurnsTest, AClientThatComesBackEndsItsOwnOldSession) {
  ServerRig rig;
  rig.running();
  EXPECT_EQ(rig.hello(3, 1).back(), "close: the client came back on another connection");
  rig.closed();
  EXPECT_EQ(rig.hello(3, 1), (Lines{"open 3"}));
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 1", "kick 2"}));
}

TEST(TurnsTest, PeersOfADeadSessionDoNotDisturbTheNext) {
  ServerRig rig;
  end_session(rig.sending());
  rig.hello(3);
  rig.opened();
  EXPECT_EQ(rig.attach(4), (Lines{"4 <- credit 0 to 10000"}));
  EXPECT_EQ(rig.data(1, 2), (Lines{"kick 2"}));
  EXPECT_EQ(rig.attach(6, 1), (Lines{"kick 6"}));  // the old key
  EXPECT_EQ(rig.request(1, wire::Next{2}, 1), (Lines{"1 <- 7 error(session, retry)"}));
  EXPECT_EQ(rig.lost(1), Lines{});
  EXPECT_EQ(rig.lost(2), Lines{});
  EXPECT_EQ(rig.next(0, 3), Lines{});
  EXPECT_EQ(rig.output(plan()), (Lines{"3 <- 2 plan 1"}));
}

}  // namespace
}  // namespace ssync::session
