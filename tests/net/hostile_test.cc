// Peers that break the rules, beside one that keeps them: it must not notice.

#include <functional>
#include <optional>
#include <thread>

#include <gmock/gmock.h>

#include "ssync/support/raw_zmtp.h"

#include "fixture.h"

namespace ssync::net {
namespace {

using support::More;
using support::RawZmtp;
using support::zmtp_command;
using support::zmtp_frame;
using support::zmtp_greeting;
using support::zmtp_ready;

struct Attack {
  const char* name;
  enum class When : bool { at_once, after_handshake } when;
  std::string bytes;
  /// What the victim does by itself: close, or wait for more (until the handshake's deadline, or for good).
  enum class Outcome : bool { closed, waits } outcome;
};

void PrintTo(const Attack& attack, std::ostream* out) {
  *out << attack.name;
}

class HostilePeerTest : public TransportTest, public testing::WithParamInterface<Attack> {
 protected:
  void expect_outcome(std::uint16_t port) {
    const bool at_once = GetParam().when == Attack::When::at_once;
    RawZmtp peer = at_once ? RawZmtp::connect(port) : RawZmtp::dealer(port);
    peer.send(GetParam().bytes);
    EXPECT_TRUE(GetParam().outcome == Attack::Outcome::waits || peer.is_closed_by_peer());
    serve();
    peer.reset();
    serve();
  }
  void serve() { expect_served(*good_); }

  void SetUp() override {
    start({.insecure = true});  // so that a peer of raw bytes is let in
    good_ = connected_client();
  }
  std::unique_ptr<ClientTransport> good_;
};

TEST_P(HostilePeerTest, HarmsNobodyOnTheControlPort) {
  expect_outcome(server_->control_port());
}
TEST_P(HostilePeerTest, HarmsNobodyOnTheDataPort) {
  expect_outcome(server_->data_port());
}

using enum Attack::Outcome;
using enum Attack::When;

INSTANTIATE_TEST_SUITE_P(
    Bytes, HostilePeerTest,
    testing::Values(
        Attack{"Nothing", at_once, "", waits},                                         //
        Attack{"Http", at_once, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", closed},  //
        Attack{"HalfAGreeting", at_once, zmtp_greeting().substr(0, 30), waits},
        Attack{"OtherMechanism", at_once, zmtp_greeting().replace(12, 5, "PLAIN"), closed},
        Attack{"NoReady", at_once, zmtp_greeting() + zmtp_frame("x", More::no), closed},
        Attack{"EndlessReady", at_once,
               zmtp_greeting() + zmtp_frame("", More::no, std::uint64_t{1} << 40U, 4), closed},
        Attack{"WrongSocketType", at_once, zmtp_greeting() + zmtp_ready({{"Socket-Type", "PUB"}}), closed},
        Attack{"HalfAFrame", after_handshake, zmtp_frame("abc", More::no, 200), waits},
        Attack{"HugeFrame", after_handshake, zmtp_frame("abc", More::no, std::uint64_t{1} << 62U), closed},
        Attack{"OversizedFrame", after_handshake, zmtp_frame("abc", More::no, 2 * 1024 * 1024), closed},
        Attack{"UnfinishedMessage", after_handshake, zmtp_frame("", More::yes) + zmtp_frame("a", More::yes),
               waits},
        Attack{"UnknownCommand", after_handshake, zmtp_command("BOGUS", "x"), waits},
        Attack{"Ping", after_handshake, zmtp_command("PING", std::string("\0\1ctx", 5)), waits}),
    [](const auto& attack) { return std::string(attack.param.name); });

class HostileTest : public TransportTest {
 protected:
  void SetUp() override {
    start({.insecure = true});  // so that a peer of raw bytes is let in
    good_ = connected_client();
  }
  void expect_kicked(RawZmtp& peer, const std::string& why) {
    EXPECT_NE(next_notice().find(why), std::string::npos);
    EXPECT_TRUE(peer.is_closed_by_peer());
    expect_served(*good_);
  }
  std::unique_ptr<ClientTransport> good_;
};

// A ZMTP 1 or 2 peer gets no error: libzmq closes, at the latest when the handshake's time is over.
TEST_F(HostileTest, OldProtocolVersionsAreRefused) {
  RawZmtp version_1 = RawZmtp::connect(server_->control_port());
  version_1.send(std::string("\1\0", 2) + std::string("\6\0hello", 7));
  EXPECT_TRUE(version_1.is_closed_by_peer());
  RawZmtp version_2 = RawZmtp::connect(server_->control_port());
  version_2.send(std::string("\xff\0\0\0\0\0\0\0\1\x7f\1\5\0\0", 14) + zmtp_frame("hello", More::no));
  EXPECT_TRUE(version_2.is_closed_by_peer());
  EXPECT_FALSE(server_->receive_control().value().has_value());
  expect_served(*good_);
}

TEST_F(HostileTest, TooManyControlFramesAreAKick) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(peer.message({"", "head", "body", "more"}));
  expect_kicked(peer, "a control message of 4 frames");
}

TEST_F(HostileTest, AThousandFramesAreAKick) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  std::string message;
  for (int i = 0; i < 999; ++i)
    message += zmtp_frame("x", More::yes);
  ASSERT_TRUE(peer.send(message + zmtp_frame("x", More::no)));
  expect_kicked(peer, "a control message of 1000 frames");
}

TEST_F(HostileTest, AMissingDelimiterIsAKick) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(peer.message({"head", "body"}));
  expect_kicked(peer, "not delimiter, head and body");
}

TEST_F(HostileTest, ADelimiterAloneIsAKick) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(peer.message({""}));
  expect_kicked(peer, "a control message of 1 frames");
}

TEST_F(HostileTest, ALongEnvelopeIsAKick) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(peer.message({"1", "2", "3", "", "head"}));
  expect_kicked(peer, "a control message of 5 frames");
  RawZmtp other = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(other.message({std::string(257, 'x'), "", "head"}));
  expect_kicked(other, "a control message of 3 frames");
}

TEST_F(HostileTest, AWrongNumberOfDataFramesIsAKick) {
  RawZmtp one = RawZmtp::dealer(server_->data_port());
  ASSERT_TRUE(one.message({"head"}));
  expect_kicked(one, "a data message of 1 frames");
  RawZmtp three = RawZmtp::dealer(server_->data_port());
  ASSERT_TRUE(three.message({"head", "payload", "more"}));
  expect_kicked(three, "a data message of 3 frames");
}

TEST_F(HostileTest, MessagesBehindABadOneAreDropped) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(peer.send(support::zmtp_message({"bad"}) + support::zmtp_message({"", "head", "body"})));
  expect_kicked(peer, "a control message of 1 frames");
  EXPECT_FALSE(server_->receive_control().value().has_value());
}

TEST_F(HostileTest, AChosenRoutingIdIsAKick) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port(), "mine");
  ASSERT_TRUE(peer.message({"", "head", "body"}));
  expect_kicked(peer, "it chose its own routing id");
}

// libzmq hands the id to the second; both are cut off, and neither's messages get mixed up with the other's.
TEST_F(HostileTest, AnIdThatTwoClaimIsAKickForBoth) {
  const std::string id("\0abcd", 5);  // looks like one of libzmq's own
  RawZmtp first = RawZmtp::dealer(server_->control_port(), id);
  ASSERT_TRUE(first.message({"", "head", "body"}));
  const PeerId peer = server_receives().peer;
  RawZmtp second = RawZmtp::dealer(server_->control_port(), id);
  ASSERT_TRUE(second.message({"", "stolen", "body"}));
  expect_kicked(second, "another connection claims its routing id");
  EXPECT_TRUE(first.is_closed_by_peer());
  EXPECT_EQ(server_->send_control(peer, frames("secret")).error().code, Errc::closed);
}

TEST_F(HostileTest, APeerThatNeverReadsIsKicked) {
  RawZmtp peer = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(peer.message({"", "head", "body"}));
  const PeerId id = server_receives().peer;
  const Buffer reply = bytes(std::string(256 * 1024, 'x'));
  bool stuck = false;
  for (int i = 0; i < 1000 && !stuck; ++i) {
    const auto sent = server_->send_control(id, {reply.share(), {}});
    stuck = !sent && sent.error().text().find("does not read") != std::string::npos;
  }
  EXPECT_TRUE(stuck);
  expect_served(*good_);
}

// No message comes out of it, so nothing that counts messages or bytes of messages sees it.
TEST_F(HostileTest, AMessageWithoutEndIsCutOff) {
  for (const std::uint16_t port : {server_->control_port(), server_->data_port()}) {
    RawZmtp peer = RawZmtp::dealer(port);
    const std::string frame = zmtp_frame(std::string(100 * 1024, 'x'), More::yes);
    std::size_t sent = 0;
    std::thread sending([&] {
      while (peer.send(frame))
        sent += frame.size();
    });
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(server_->wait(kTick, {}, true));
      EXPECT_FALSE(server_->receive_data().value().has_value());
      for (const std::string& notice : server_->take_notices())
        if (notice.find("a message without end") != std::string::npos) return true;
      return false;
    }));
    peer.shut();
    sending.join();
    EXPECT_LT(sent, 512U * 1024 * 1024);
    expect_served(*good_);
  }
}

TEST_F(HostileTest, MuchThatIsTakenIsNoBacklog) {
  RawZmtp peer = RawZmtp::dealer(server_->data_port());
  const std::string payload(256 * 1024, 'x');
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(peer.message({"head", payload}));
    EXPECT_TRUE(eventually(
        [&] { return server_->receive_data().value().has_value() || !server_->wait(kTick, {}, true); }));
  }
  EXPECT_THAT(server_->take_notices(), testing::IsEmpty());
}

TEST_F(HostileTest, ManyConnectionsThatComeAndGoLeaveTheServerWell) {
  for (int i = 0; i < 100; ++i) {
    RawZmtp peer = RawZmtp::dealer(i % 2 == 0 ? server_->control_port() : server_->data_port());
    peer.send(i % 3 == 0 ? zmtp_frame("half", More::yes) : support::zmtp_message({"", "a", "b", "c", "d"}));
    if (i % 5 == 0) peer.reset();
    EXPECT_TRUE(server_->wait(std::chrono::milliseconds(0), {}, true));
    EXPECT_FALSE(server_->receive_control().value().has_value());
    EXPECT_FALSE(server_->receive_data().value().has_value());
  }
  expect_served(*good_);
}

/// A client whose server is none.
class FalseServerTest : public TransportTest {
 protected:
  void SetUp() override {
    start({.insecure = true});  // whose data port serves
    auto options = client_options();
    options.control_port = listener_.port();
    options.insecure = true;
    client_ = ClientTransport::connect(context_, options, nullptr).value();
    peer_.emplace(listener_.accept_router());
    ASSERT_TRUE(
        eventually([&] { return client_->wait(kTick, {}).value().disconnected || client_->connected(); }));
  }
  support::RawListener listener_;
  std::unique_ptr<ClientTransport> client_;
  std::optional<RawZmtp> peer_;
};

TEST_F(FalseServerTest, BadFramesAreAProtocolError) {
  ASSERT_TRUE(peer_->message({"no", "delimiter"}));
  EXPECT_TRUE(eventually([&] { return client_->wait(kTick, {}).value().control; }));
  const auto received = client_->receive_control();
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, Errc::protocol);
}

TEST_F(FalseServerTest, AMessageWithoutEndIsCutOff) {
  const std::string frame = zmtp_frame(std::string(100 * 1024, 'x'), More::yes);
  std::thread sending([&] {
    while (peer_->send(frame)) {
    }
  });
  EXPECT_TRUE(eventually([&] { return client_->wait(kTick, {}).value().disconnected; }));
  EXPECT_THAT(client_->disconnect_reason(), testing::HasSubstr("a message without an end"));
  client_.reset();
  peer_->shut();
  sending.join();
}

}  // namespace
}  // namespace ssync::net
