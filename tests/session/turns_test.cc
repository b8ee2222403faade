// The queue for turns: whose turn it is, on one mirror and over many, and that nobody is forgotten.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session {
namespace {

constexpr milliseconds kSecond{1000};

/// Client 1 has the turn, clients 3 and 5 wait in this order and were told so.
ServerRig& two_waiting(ServerRig& rig) {
  rig.running();
  EXPECT_EQ(rig.hello(3), (Lines{"3 <- 1 wait(turn, 1 of 1)"}));
  EXPECT_EQ(rig.hello(5), (Lines{"5 <- 1 wait(turn, 2 of 2)"}));
  return rig;
}

/// And said hello again.
ServerRig& two_held(ServerRig& rig) {
  two_waiting(rig);
  EXPECT_EQ(rig.hello(3), Lines{});
  EXPECT_EQ(rig.hello(5), Lines{});
  return rig;
}

Lines end_session(ServerRig& rig, Peer peer = 1) {
  const SessionKey session = rig.newest();
  rig.bye(0, peer);
  return rig.closed(session);
}

TEST(TurnsTest, ComeAsSoonAsTheyAreFreeToWhoseHelloIsHeld) {
  ServerRig rig;
  EXPECT_EQ(end_session(two_held(rig)), (Lines{"open 3"}));
  EXPECT_EQ(rig.opened(), (Lines{"3 <- 2 welcome", "scan"}));
  EXPECT_EQ(end_session(rig, 3), (Lines{"open 5"}));
}

TEST(TurnsTest, ComeAsSoonAsTheClientBeforeIsRefused) {
  ServerRig rig;
  rig.opening().hello(3);
  rig.hello(3);
  EXPECT_EQ(rig.refused(), (Lines{"1 <- 1 error(source)", "open 3"}));
}

TEST(TurnsTest, ComeInTheOrderOfTheFirstHello) {
  ServerRig rig;
  end_session(two_waiting(rig));
  EXPECT_EQ(rig.hello(5), Lines{});
  EXPECT_EQ(rig.hello(7), (Lines{"7 <- 1 wait(turn, 3 of 3)"}));
  EXPECT_EQ(rig.hello(3), (Lines{"open 3"}));
  EXPECT_EQ(rig.server.waiting(), 2U);
}

TEST(TurnsTest, WaitIsTheReplyAtOnceTheFirstTimeAndAfterTheHeartbeatThen) {
  ServerRig rig;
  two_held(rig);
  EXPECT_EQ(rig.tick(milliseconds(1999)), Lines{});
  EXPECT_EQ(rig.server.next_deadline(), rig.now + milliseconds(1));
  EXPECT_EQ(rig.tick(milliseconds(1)),
            (Lines{"1 <- 2 wait", "3 <- 2 wait(turn, 1 of 2)", "5 <- 2 wait(turn, 2 of 2)"}));
  EXPECT_EQ(rig.hello(3), Lines{});
}

TEST(TurnsTest, AreKeptForAMomentForWhoIsBetweenTwoHellos) {
  ServerRig rig;
  two_waiting(rig).hello(5);
  EXPECT_EQ(end_session(rig), Lines{});
  EXPECT_EQ(rig.server.next_deadline(), rig.now + milliseconds(250));
  EXPECT_EQ(rig.tick(milliseconds(249)), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(1)), (Lines{"open 5"}));
  EXPECT_EQ(rig.hello(3), Lines{});  // it has kept its place
  EXPECT_EQ(rig.hello(7), (Lines{"7 <- 1 wait(turn, 2 of 2)"}));
}

TEST(TurnsTest, AreNotKeptTwiceForWhoDoesNotComeBack) {
  ServerRig rig;
  two_waiting(rig).hello(5);
  end_session(rig);
  rig.tick(milliseconds(250));
  rig.opened();
  rig.hello(7);
  rig.hello(7);
  EXPECT_EQ(end_session(rig, 5), (Lines{"open 7"}));
}

TEST(TurnsTest, AreKeptAgainForWhoCameBackAfterAll) {
  ServerRig rig;
  two_waiting(rig).hello(5);
  end_session(rig);
  EXPECT_EQ(rig.tick(milliseconds(250)), (Lines{"open 5"}));
  rig.hello(3);
  EXPECT_EQ(rig.tick(milliseconds(2000)), (Lines{"3 <- 2 wait(turn, 1 of 1)"}));
  rig.hello(7);
  rig.hello(7);
  EXPECT_EQ(rig.refused(), (Lines{"5 <- 2 error(source)"}));
  EXPECT_EQ(rig.tick(milliseconds(249)), Lines{});
  EXPECT_EQ(rig.hello(3), (Lines{"open 3"}));
}

TEST(TurnsTest, LapseSixSecondsAfterTheWait) {
  ServerRig rig;
  two_waiting(rig);
  rig.tick(5 * kSecond);
  EXPECT_EQ(rig.server.waiting(), 2U);
  rig.hello(5);
  rig.tick(kSecond);
  EXPECT_EQ(rig.server.waiting(), 1U);
  EXPECT_EQ(end_session(rig), (Lines{"open 5"}));
  EXPECT_EQ(rig.hello(3), (Lines{"3 <- 2 wait(turn, 1 of 1)"}));  // at once, as to a new client
}

TEST(TurnsTest, AreGivenUpWithBye) {
  ServerRig rig;
  two_waiting(rig).hello(5);
  EXPECT_EQ(rig.bye(20, 3), (Lines{"3 <- 2 ok"}));
  EXPECT_EQ(rig.bye(20, 5), (Lines{"5 <- 2 error(session, retry)", "5 <- 3 ok"}));
  EXPECT_EQ(rig.server.waiting(), 0U);
}

TEST(TurnsTest, GoToTheNextWhenTheFirstGivesUp) {
  ServerRig rig;
  two_waiting(rig).hello(5);
  end_session(rig);
  EXPECT_EQ(rig.bye(20, 3), (Lines{"3 <- 2 ok", "open 5"}));
}

TEST(TurnsTest, AreLostWithTheConnection) {
  ServerRig rig;
  two_held(rig);
  EXPECT_EQ(rig.lost(3), Lines{});
  EXPECT_EQ(end_session(rig), (Lines{"open 5"}));
}

TEST(TurnsTest, AreLostWithABrokenRule) {
  ServerRig rig;
  two_held(rig);
  EXPECT_EQ(rig.next(0, 3), (Lines{"3 <- 2 error(session, retry)", "3 <- 3 error(session, retry)"}));
  EXPECT_EQ(rig.malformed(5), (Lines{"5 <- 2 error(protocol)", "5 <- 0 error(protocol)"}));
  EXPECT_EQ(rig.server.waiting(), 0U);
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 3", "kick 5"}));
}

TEST(TurnsTest, AreLostWithASecondHelloWhileOneIsHeld) {
  ServerRig rig;
  two_held(rig);
  EXPECT_EQ(rig.hello(3), (Lines{"3 <- 2 error(state)", "3 <- 3 error(state)"}));
  EXPECT_EQ(rig.server.waiting(), 1U);
}

TEST(TurnsTest, AreKeptByAClientThatComesBackOnAnotherConnection) {
  ServerRig rig;
  two_held(rig);
  EXPECT_EQ(rig.hello(9, 3), (Lines{"3 <- 2 error(session, retry)"}));
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 3"}));
  EXPECT_EQ(rig.lost(3), Lines{});  // the old connection's end comes late
  EXPECT_EQ(end_session(rig), (Lines{"open 9"}));
}

TEST(TurnsTest, AreLimitedInNumberForAMirror) {
  ServerRig rig;  // three may wait
  two_waiting(rig).hello(7);
  EXPECT_EQ(rig.hello(9), (Lines{"9 <- 1 error(busy, retry)"}));
  EXPECT_EQ(rig.hello(3), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 9"}));
}

TEST(TurnsTest, AreLimitedInNumberForAllMirrors) {
  server::Config config = ServerRig::config_of();
  config.syncs_max = 1;
  config.waiting_max = 2;
  ServerRig rig(config);
  rig.mirrors({"a", "b", "c", "d"});
  rig.hello_to("a", 1);
  rig.hello_to("b", 3);
  rig.hello_to("c", 5);
  EXPECT_EQ(rig.hello_to("d", 7), (Lines{"7 <- 1 error(busy, retry)"}));
  EXPECT_EQ(rig.server.waiting(), 2U);
}

TEST(TurnsTest, HellosThatTakeTooMuchMemoryAreNotHeld) {
  server::Config config = ServerRig::config_of();
  config.held_bytes_max = 1500;
  ServerRig rig(config);
  two_waiting(rig);
  wire::Hello large = hello_of(3);
  large.source_id = std::string(1000, 's');
  EXPECT_EQ(rig.request(3, large, 0), Lines{});
  large.client = client_id(5);
  EXPECT_EQ(rig.request(5, large, 0), (Lines{"5 <- 2 wait(turn, 2 of 2)"}));
  EXPECT_EQ(end_session(rig), (Lines{"open 3"}));
}

TEST(TurnsTest, AClientThatComesBackEndsItsOwnOldSession) {
  ServerRig rig;
  rig.running();
  EXPECT_EQ(rig.hello(3, 1),
            (Lines{"1 <- 2 error(session, retry)", "close: the client came back on another connection",
                   "3 <- 1 wait(turn, 1 of 1)"}));
  EXPECT_EQ(rig.hello(3, 1), Lines{});
  EXPECT_EQ(rig.closed(), (Lines{"open 3"}));
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 1", "kick 2"}));
}

TEST(TurnsTest, PeersOfADeadSessionDoNotDisturbTheNext) {
  ServerRig rig;
  end_session(rig.sending());
  rig.hello(3);
  rig.opened();
  EXPECT_EQ(rig.attach(4), (Lines{"attached 4 to 2", "4 <- credit 0 to 10000"}));
  EXPECT_EQ(rig.data(1, 2), (Lines{"kick 2"}));
  EXPECT_EQ(rig.attach(6, 1), (Lines{"kick 6"}));  // the old key
  EXPECT_EQ(rig.request(1, wire::Next{2}, 1), (Lines{"1 <- 7 error(session, retry)"}));
  EXPECT_EQ(rig.lost(1), Lines{});
  EXPECT_EQ(rig.lost(2), Lines{});
  EXPECT_EQ(rig.next(0, 3), Lines{});
  EXPECT_EQ(rig.output(plan()), (Lines{"3 <- 2 plan 1"}));
}

server::Config config_with(std::size_t syncs_max) {
  server::Config config = ServerRig::config_of();
  config.syncs_max = syncs_max;
  return config;
}

TEST(SlotsTest, EachMirrorHasItsOwnTurn) {
  ServerRig rig;
  rig.mirrors({"a", "b"});
  EXPECT_EQ(rig.hello_to("a", 1), (Lines{"open 1 on a"}));
  EXPECT_EQ(rig.hello_to("b", 3), (Lines{"open 3 on b"}));
  EXPECT_EQ(rig.hello_to("a", 5), (Lines{"5 <- 1 wait(turn, 1 of 1)"}));
  EXPECT_EQ(rig.server.active(), 2U);
}

TEST(SlotsTest, OneClientMayHaveSyncsOnSeveralMirrors) {
  ServerRig rig;
  rig.mirrors({"a", "b"});
  EXPECT_EQ(rig.hello_to("a", 1, 7), (Lines{"open 1 on a"}));
  EXPECT_EQ(rig.hello_to("b", 3, 7), (Lines{"open 3 on b"}));
  EXPECT_EQ(rig.opened(1), (Lines{"1 <- 1 welcome", "scan"}));
}

TEST(SlotsTest, WhoWaitsForTheServerIsToldSoAndGoesInTheOrderOfTheFirstHello) {
  ServerRig rig(config_with(1));
  rig.mirrors({"a", "b", "c"});
  EXPECT_EQ(rig.hello_to("a", 1), (Lines{"open 1 on a"}));
  EXPECT_EQ(rig.hello_to("c", 3), (Lines{"3 <- 1 wait(slot, 1 of 1)"}));
  EXPECT_EQ(rig.hello_to("a", 5), (Lines{"5 <- 1 wait(turn, 1 of 1)"}));
  EXPECT_EQ(rig.hello_to("b", 7), (Lines{"7 <- 1 wait(slot, 2 of 2)"}));
  for (const auto& [mirror, peer] : {std::pair{"b", 7}, {"a", 5}, {"c", 3}})
    EXPECT_EQ(rig.hello_to(mirror, static_cast<Peer>(peer)), Lines{});
  rig.opened(1);
  rig.bye(0, 1);
  EXPECT_EQ(rig.closed(1), (Lines{"open 3 on c"}));
  EXPECT_EQ(rig.refused(2), (Lines{"3 <- 2 error(source)", "open 5 on a"}));
  EXPECT_EQ(rig.refused(3), (Lines{"5 <- 2 error(source)", "open 7 on b"}));
}

TEST(SlotsTest, AreKeptForAMomentWhileOthersTakeTheRest) {
  ServerRig rig(config_with(2));
  rig.mirrors({"a", "b", "c", "d", "e"});
  rig.hello_to("a", 1);
  rig.hello_to("b", 3);
  rig.hello_to("c", 5);  // told to wait, and not back yet
  rig.hello_to("d", 7);
  rig.hello_to("d", 7);
  rig.hello_to("e", 9);
  rig.hello_to("e", 9);
  EXPECT_EQ(rig.refused(1), (Lines{"1 <- 1 error(source)"}));
  EXPECT_EQ(rig.refused(2), (Lines{"3 <- 1 error(source)", "open 7 on d"}));
  EXPECT_EQ(rig.tick(milliseconds(250)), (Lines{"open 9 on e"}));
  EXPECT_EQ(rig.hello_to("c", 5), Lines{});
  EXPECT_EQ(rig.refused(3), (Lines{"7 <- 2 error(source)", "open 5 on c"}));
}

TEST(SlotsTest, ASyncThatIsBeingClosedHasItsSlot) {
  ServerRig rig(config_with(1));
  rig.mirrors({"a", "b"});
  rig.hello_to("a", 1);
  rig.hello_to("b", 3);
  rig.hello_to("b", 3);
  rig.opened();
  EXPECT_EQ(rig.bye(20).back(), "close: the client said bye: code 20");
  EXPECT_EQ(rig.tick(milliseconds(100)), Lines{});
  EXPECT_EQ(rig.closed(), (Lines{"open 3 on b"}));
}

/// A hundred clients of a hundred mirrors at once, four at a time, 50 ms each: as real clients they say hello
/// again 100 ms after the first `wait`, and at once after later ones.
TEST(SlotsTest, AreNotIdleWhileAHundredClientsWait) {
  constexpr std::size_t kClients = 100;
  ServerRig rig(config_with(4));
  std::vector<server::OfferedMirror> mirrors;
  for (std::size_t i = 0; i < kClients; ++i)
    mirrors.push_back({"m" + std::to_string(i), ""});
  static_cast<void>(rig.server.set_mirrors(mirrors, rig.now));

  std::multimap<Time, std::function<void()>> agenda;
  std::vector<Peer> served;
  std::map<Peer, std::uint32_t> seqs;
  const Time begin = rig.now;
  std::function<void(server::Effects)> carry_out;
  const auto say_hello = [&](Peer peer) {
    wire::Hello hello = hello_of(static_cast<std::uint8_t>(peer));
    hello.mirror = "m" + std::to_string(peer - 1);
    carry_out(rig.server.on_request(peer, wire::Request{++seqs[peer], {}, hello}, rig.now));
  };
  carry_out = [&](const server::Effects& effects) {
    for (const server::Effect& effect : effects) {
      if (const auto* open = std::get_if<server::OpenSync>(&effect)) {
        served.push_back(open->peer);
        agenda.emplace(rig.now + milliseconds(50), [&, key = open->session] {
          carry_out(rig.server.refused(key, {kIo, true, "done"}, rig.now));
        });
      } else if (const auto* said = std::get_if<server::SendReply>(&effect)) {
        if (!std::holds_alternative<wire::Wait>(said->reply.body)) continue;
        const milliseconds pause(seqs[said->peer] == 1 ? 100 : 1);
        agenda.emplace(rig.now + pause, [&, peer = said->peer] { say_hello(peer); });
      }
    }
  };
  for (Peer peer = 1; peer <= kClients; ++peer)
    say_hello(peer);
  while (served.size() < kClients && rig.now - begin < milliseconds(10000)) {
    const Time next = agenda.empty() ? Time::max() : agenda.begin()->first;
    rig.now = std::max(rig.now, std::min(next, rig.server.next_deadline()));
    while (!agenda.empty() && agenda.begin()->first <= rig.now)
      agenda.extract(agenda.begin()).mapped()();
    carry_out(rig.server.on_tick(rig.now));
  }
  EXPECT_TRUE(std::is_sorted(served.begin(), served.end()));
  EXPECT_EQ(served.size(), kClients);
  EXPECT_LE(rig.now - begin, milliseconds(25 * 50 + 100));
}

}  // namespace
}  // namespace ssync::session
