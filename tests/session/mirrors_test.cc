// Which mirrors there are, what is said of others, and that sessions on several do not disturb each other.
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session {
namespace {

std::string refusal_of(const std::vector<std::string>& mirrors, const std::string& asked) {
  ServerRig rig;
  rig.mirrors(mirrors);
  wire::Hello hello = hello_of(1);
  hello.mirror = asked;
  const server::Effects effects = rig.server.on_request(1, wire::Request{1, {}, hello}, rig.now);
  const auto& error = std::get<wire::ErrorReply>(std::get<server::SendReply>(effects.at(0)).reply.body);
  EXPECT_EQ(error.code, wire::ErrorCode::mirror);
  EXPECT_FALSE(error.retry);
  return error.text;
}

TEST(MirrorsTest, AnUnknownOneIsRefusedWithTheNamesOfThoseThatThereAre) {
  EXPECT_EQ(refusal_of({"c", "a", "b"}, "foo"), "there is no mirror 'foo' here; there are: a, b, c");
  EXPECT_EQ(refusal_of({"a"}, ""), "there is no mirror without a name here; there are: a");
  EXPECT_EQ(refusal_of({"", "a"}, "b"), "there is no mirror 'b' here; there are: one without a name, a");
  EXPECT_EQ(refusal_of({""}, "foo"), "there is no mirror 'foo' here; there is only one, without a name");
  EXPECT_EQ(refusal_of({}, "foo"), "there is no mirror 'foo' here; there are none");
}

TEST(MirrorsTest, OfManyNamesTwentyAreSaidAndNoTextIsTooLong) {
  std::vector<std::string> names, long_names;
  for (int i = 10; i < 35; ++i) {
    names.push_back("m" + std::to_string(i));
    long_names.push_back(std::to_string(i) + std::string(253, 'x'));
  }
  const std::string text = refusal_of(names, "foo");
  EXPECT_TRUE(text.ends_with(", m28, m29, and 5 more")) << text;
  const std::string long_text = refusal_of(long_names, std::string(255, 'f'));
  EXPECT_TRUE(long_text.ends_with(", and 23 more")) << long_text;
  EXPECT_LE(long_text.size(), wire::kTextBytesMax);
}

TEST(MirrorsTest, AClientOfAnUnknownOneIsDisconnected) {
  ServerRig rig;
  EXPECT_EQ(rig.hello_to("foo", 1), (Lines{"1 <- 1 error(mirror)"}));
  EXPECT_EQ(rig.tick(milliseconds(500)), (Lines{"kick 1"}));
  EXPECT_EQ(rig.server.waiting(), 0U);
}

TEST(MirrorsTest, WelcomeRepeatsTheName) {
  ServerRig rig;
  rig.mirrors({"a"});
  rig.hello_to("a", 1);
  const server::Effects effects = rig.server.opened(1, {}, rig.now);
  EXPECT_EQ(std::get<wire::Welcome>(std::get<server::SendReply>(effects.at(0)).reply.body).mirror, "a");
}

TEST(MirrorsTest, AreListedToWhoAsksInPlaceOfHello) {
  ServerRig rig;
  rig.mirrors({"b", "", "a"});
  EXPECT_EQ(rig.ask_mirrors(1), (Lines{"1 <- 1 mirrors '' 'a' 'b'"}));
  EXPECT_EQ(rig.ask_mirrors(1, "a"), (Lines{"1 <- 2 mirrors 'b'"}));
  EXPECT_EQ(rig.bye(0, 1), (Lines{"1 <- 3 ok"}));
  EXPECT_EQ(rig.hello(1), (Lines{"1 <- 4 error(session, retry)"}));
  EXPECT_EQ(rig.tick(milliseconds(9999)), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(1)), (Lines{"kick 1"}));
}

TEST(MirrorsTest, ManyAreListedInPages) {
  ServerRig rig;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 2 * wire::kMirrorRowsMax; ++i)
    names.push_back("m" + std::to_string(1000 + i));
  rig.mirrors(names);
  EXPECT_TRUE(rig.ask_mirrors(1).at(0).ends_with("'m1255' and more"));
  EXPECT_TRUE(rig.ask_mirrors(1, "m1255").at(0).ends_with("'m1511'"));
  EXPECT_EQ(rig.ask_mirrors(1, "m1511"), (Lines{"1 <- 3 mirrors"}));
}

TEST(MirrorsTest, AreNotListedInASessionNorToWhoWaits) {
  ServerRig rig;
  rig.running();
  EXPECT_EQ(rig.ask_mirrors(1),
            (Lines{"1 <- 3 error(state)", "1 <- 2 error(state)", "close: mirrors inside a session"}));
  rig.hello(3);
  EXPECT_EQ(rig.ask_mirrors(3), (Lines{"3 <- 2 error(session, retry)"}));
}

TEST(MirrorsTest, OneThatIsTakenAwayLetsItsSyncEndAndTellsWhoWaits) {
  ServerRig rig;
  rig.mirrors({"a", "b"});
  rig.hello_to("a", 1);
  rig.hello_to("a", 3);
  rig.hello_to("a", 3);  // held
  rig.hello_to("a", 5);  // between two hellos
  EXPECT_EQ(rig.mirrors({"b"}), (Lines{"3 <- 2 error(mirror)"}));
  EXPECT_EQ(rig.server.waiting(), 0U);
  EXPECT_EQ(rig.hello_to("a", 5), (Lines{"5 <- 2 error(mirror)"}));
  EXPECT_EQ(rig.opened(), (Lines{"1 <- 1 welcome", "scan"}));
  rig.bye();
  EXPECT_EQ(rig.closed(), Lines{});
  EXPECT_EQ(rig.hello_to("a", 7), (Lines{"7 <- 1 error(mirror)"}));
}

TEST(MirrorsTest, OneThatIsTakenAwayKeepsNoTurnForItsClients) {
  server::Config config = ServerRig::config_of();
  config.syncs_max = 1;
  ServerRig rig(config);
  rig.mirrors({"a", "b", "c"});
  rig.hello_to("a", 1);
  rig.hello_to("b", 3);
  rig.hello_to("c", 5);
  rig.hello_to("c", 5);
  EXPECT_EQ(rig.refused(), (Lines{"1 <- 1 error(source)"}));  // client 3 is between two hellos
  EXPECT_EQ(rig.mirrors({"a", "c"}), (Lines{"open 5 on c"}));
}

TEST(MirrorsTest, OneThatComesBackWhileItsOldSyncRunsIsStillTaken) {
  ServerRig rig;
  rig.mirrors({"a"});
  rig.hello_to("a", 1);
  rig.mirrors({});
  rig.mirrors({"a"});
  EXPECT_EQ(rig.hello_to("a", 3), (Lines{"3 <- 1 wait(turn, 1 of 1)"}));
  EXPECT_EQ(rig.hello_to("a", 3), Lines{});
  EXPECT_EQ(rig.refused(1), (Lines{"1 <- 1 error(source)", "open 3 on a"}));
}

TEST(MirrorsTest, AreKeptWithThePlacesOfTheirClientsWhenTheListIsReadAgain) {
  ServerRig rig;
  rig.running().hello(3);
  EXPECT_EQ(rig.mirrors({"", "new"}), Lines{});
  EXPECT_EQ(rig.hello_to("new", 5), (Lines{"open 5 on new"}));
  EXPECT_EQ(rig.hello(3), Lines{});
}

TEST(SessionsTest, WhatASyncSaysAfterItsEndIsIgnored) {
  ServerRig rig;
  rig.failed();
  const auto say_everything = [&] {
    EXPECT_EQ(rig.output(plan(), 1), Lines{});
    EXPECT_EQ(rig.taken(0, 1), Lines{});
    EXPECT_EQ(rig.returned(100, 1), Lines{});
    EXPECT_FALSE(rig.server.output_room(1));
    rig.server.progress(1, {});
  };
  say_everything();
  rig.closed();
  say_everything();
  rig.hello(3);
  say_everything();
}

TEST(SessionsDeathTest, KeysThatWereNeverGivenAndSecondEndsAreMistakes) {
  ServerRig rig;
  rig.opening();
  EXPECT_DEATH(static_cast<void>(rig.server.output_room(2)), "");
  EXPECT_DEATH(rig.closed(), "");  // neither opened nor refused
  rig.refused();
  EXPECT_DEATH(rig.refused(1), "");
  EXPECT_DEATH(rig.opened(1), "");
  EXPECT_DEATH(rig.closed(1), "");
}

TEST(SessionsTest, APayloadGoesWithItsMessage) {
  ServerRig rig;
  rig.sending();
  Buffer payload = Buffer::allocate(3);
  payload.writable()[2] = std::byte{7};
  const server::Effects effects = rig.server.on_data(
      2, rig.next_data(), wire::kDataHeaderBytes + wire::kSegmentBytes, std::move(payload), rig.now);
  const auto& deliver = std::get<server::Deliver>(effects.at(0));
  EXPECT_EQ(deliver.session, 1U);
  EXPECT_EQ(deliver.payload.bytes()[2], std::byte{7});
}

/// One sync on mirror a from hello to bye by peers 1 and 2; `between` is called before each step. What it is
/// told.
std::vector<Lines> whole_sync(ServerRig& rig, const std::function<void()>& between) {
  std::vector<Lines> told;
  const auto request = [&](wire::RequestBody body) { return rig.request(1, std::move(body), 1); };
  wire::FileList list;
  list.batch.last = true;
  list.batch.rows.resize(3);
  for (std::size_t i = 0; i < 3; ++i)
    list.batch.rows[i].id = i;
  wire::DataHead data;
  data.tag = 101;
  data.segments.resize(1);
  const std::vector<std::function<Lines()>> steps{
      [&] { return rig.hello_to("a", 1); },
      [&] { return rig.opened(1); },
      [&] { return rig.attach(2, 1); },
      [&] { return request(wire::Next{0}); },
      [&] { return request(std::move(list)); },
      [&] { return rig.taken(0, 1); },
      [&] { return rig.output(plan(), 1); },
      [&] { return request(wire::Next{1}); },
      [&] { return rig.output(request_rows({1}), 1); },
      [&] { return rig.data(data, 5000); },
      [&] { return rig.returned(6080, 1); },
      [&] { return request(wire::Next{2}); },
      [&] { return rig.output(done(), 1); },
      [&] { return request(wire::Bye{}); },
      [&] { return rig.closed(1); },
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) between();
    told.push_back(steps[i]());
  }
  return told;
}

TEST(SessionsTest, WhatOthersDoChangesNothingOfWhatOneIsTold) {
  ServerRig alone;
  alone.mirrors({"a", "b"});
  const std::vector<Lines> expected = whole_sync(alone, [] {});
  const std::vector<std::function<void(ServerRig&, Peer)>> hostile{
      [](ServerRig& rig, Peer peer) { rig.next(9, peer); },
      [](ServerRig& rig, Peer peer) { rig.malformed(peer); },
      [](ServerRig& rig, Peer peer) { rig.hello_to("b", peer); },
      [](ServerRig& rig, Peer peer) { rig.hello_to("a", peer); },
      [](ServerRig& rig, Peer peer) { rig.ask_mirrors(peer); },
      [](ServerRig& rig, Peer peer) { rig.attach(peer, 9); },
      [](ServerRig& rig, Peer peer) { rig.request(peer, wire::Bye{}, 1); },
      [](ServerRig& rig, Peer peer) { rig.malformed_data(peer); },
      [](ServerRig& rig, Peer peer) { rig.data({}, 100, peer); },
      [](ServerRig& rig, Peer peer) { rig.lost(peer); },
      [](ServerRig& rig, Peer peer) {
        rig.hello_to("b", peer);
        if (peer == 10) rig.opened(2);
        rig.request(peer, wire::Next{0}, 1);
      },
  };
  for (const auto& act : hostile) {
    ServerRig rig;
    rig.mirrors({"a", "b"});
    Peer peer = 10;
    EXPECT_EQ(whole_sync(rig, [&] { act(rig, peer++); }), expected);
  }
}

TEST(SessionsTest, ShareTheCredit) {
  server::Config config = ServerRig::config_of();
  config.window_bytes = 40000;
  config.least_window_bytes = 10000;
  ServerRig rig(config);
  rig.mirrors({"a", "b"});
  const auto run = [&](const std::string& mirror, Peer control, Peer data, std::uint8_t session) {
    rig.hello_to(mirror, control);
    rig.opened();
    EXPECT_EQ(rig.attach(data, session),
              (Lines{"attached " + std::to_string(data) + " to " + std::to_string(session),
                     std::to_string(data) + " <- credit 0 to 10000"}));
    rig.request(control, wire::Next{0}, session);
    rig.output(request_rows({1, 2}), session);
  };
  run("a", 1, 2, 1);
  rig.data(3000, 2);
  EXPECT_EQ(rig.returned(4080, 1), (Lines{"2 <- credit 1 to 44080"}));  // it has all
  rig.data(40000 - 1080, 2);
  run("b", 3, 4, 2);
  EXPECT_EQ(rig.returned(30000, 1), Lines{});
  EXPECT_EQ(rig.returned(10000, 1), (Lines{"2 <- credit 2 to 64080"}));  // its half, now that all is back
  rig.bye(0, 3);
  rig.closed(2);
  EXPECT_EQ(rig.tick(milliseconds(100)), (Lines{"2 <- credit 3 to 84080"}));
}

}  // namespace
}  // namespace ssync::session
