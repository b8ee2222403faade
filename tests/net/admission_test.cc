// Who is let in, over real sockets.
#include "ssync/net/admission.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "ssync/net/runtime_dir.h"
#include "ssync/support/raw_zmtp.h"

#include "failures.h"
#include "fixture.h"

namespace ssync::net {
namespace {

using std::chrono::system_clock;
using support::RawZmtp;

std::shared_ptr<const KeyPair> random_pair() {
  return std::make_shared<const KeyPair>(KeyPair::random());
}

OwnKey giving(std::shared_ptr<const KeyPair> pair) {
  return [pair = std::move(pair)] { return pair; };
}

/// A server with keys on loopback, and clients of it.
class KeysTransportTest : public TransportTest {
 protected:
  void SetUp() override {
    start({.own_key = giving(server_key_), .require_keys = true});
    admission_->set_keys({{client_key_->public_key, {}}});
  }

  std::unique_ptr<ClientTransport> client_with(std::shared_ptr<const KeyPair> own, const PublicKey& server) {
    auto options = client_options();
    options.own_key = giving(std::move(own));
    options.server_key = server;
    return ClientTransport::connect(context_, options, nullptr).value();
  }
  /// Until it is connected or lost.
  bool connects(ClientTransport& client) {
    EXPECT_TRUE(
        eventually([&] { return client.wait(kTick, {}).value().disconnected || client.connected(); }));
    return client.connected();
  }

  const std::shared_ptr<const KeyPair> server_key_ = random_pair();
  const std::shared_ptr<const KeyPair> client_key_ = random_pair();
};

TEST_F(KeysTransportTest, AKnownKeyIsServedAndKnownToBeIt) {
  auto client = client_with(client_key_, server_key_->public_key);
  ASSERT_TRUE(connects(*client)) << client->disconnect_reason();
  ASSERT_TRUE(client->send_control(frames("question")));
  const PeerId peer = server_receives().peer;
  EXPECT_EQ(server_->identity_of(peer), (Identity{Identity::Kind::key, client_key_->public_key}));
  ASSERT_TRUE(server_->send_control(peer, frames("answer")));
  EXPECT_EQ(client_receives(*client), "answer|");
  Buffer head = bytes("head");
  Buffer payload = bytes(std::string(wire::kChunkBytesMax, 'x'));
  ASSERT_TRUE(client->send_data(head, payload).value());
  const DataMessage data = server_receives_data();
  EXPECT_EQ(data.payload.size(), wire::kChunkBytesMax) << "the greatest message fits, sealed";
  EXPECT_EQ(server_->identity_of(data.peer)->key, client_key_->public_key);
  EXPECT_EQ(server_->open_peers().size(), 2U);
}

TEST_F(KeysTransportTest, AnUnknownKeyIsRefused) {
  const auto stranger = random_pair();
  auto client = client_with(stranger, server_key_->public_key);
  EXPECT_FALSE(connects(*client));
  EXPECT_TRUE(client->is_refused());
  EXPECT_NE(client->disconnect_reason().find(fingerprint(stranger->public_key)), std::string::npos)
      << client->disconnect_reason();
  EXPECT_NE(next_notice().find(fingerprint(stranger->public_key)), std::string::npos);
}

TEST_F(KeysTransportTest, AServerWithAnotherKeyIsNotTalkedTo) {
  auto client = client_with(client_key_, random_pair()->public_key);
  EXPECT_FALSE(connects(*client));
  EXPECT_NE(client->disconnect_reason().find("its key is not"), std::string::npos)
      << client->disconnect_reason();
}

TEST_F(KeysTransportTest, AKeyWhoseTimeIsOverIsRefused) {
  admission_->set_keys({{client_key_->public_key, false, system_clock::now() + std::chrono::hours(1)}});
  EXPECT_TRUE(connects(*client_with(client_key_, server_key_->public_key)));
  admission_->set_keys({{client_key_->public_key, false, system_clock::now() - std::chrono::seconds(1)}});
  EXPECT_FALSE(connects(*client_with(client_key_, server_key_->public_key)));
  EXPECT_NE(next_notice().find("has expired"), std::string::npos);
}

TEST_F(KeysTransportTest, WhoShowsNothingEndsInTheHandshake) {
  RawZmtp peer = RawZmtp::connect(server_->control_port());
  peer.send(support::zmtp_greeting() + support::zmtp_ready({{"Socket-Type", "DEALER"}}));
  EXPECT_TRUE(peer.is_closed_by_peer());
}

TEST_F(KeysTransportTest, AfterTenFailuresAMinuteThereIsSilenceButNotForAKnownKey) {
  for (unsigned i = 0; i < Admission::kFailuresPerMinute; ++i)
    EXPECT_FALSE(connects(*client_with(random_pair(), server_key_->public_key)));
  auto client = client_with(random_pair(), server_key_->public_key);
  EXPECT_FALSE(connects(*client));
  EXPECT_FALSE(client->is_refused()) << "nobody says no: " << client->disconnect_reason();
  EXPECT_TRUE(connects(*client_with(client_key_, server_key_->public_key)));
}

TEST_F(KeysTransportTest, ProgramsOfThisUserFindTheServersKeyAndNeedTheirOwn) {
  auto options = client_options();
  options.own_key = giving(client_key_);
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  EXPECT_TRUE(connects(*client)) << client->disconnect_reason();
  options.own_key = giving(random_pair());
  EXPECT_FALSE(connects(*ClientTransport::connect(context_, options, nullptr).value()));
}

TEST_F(TransportTest, AServerBeyondLoopbackHasKeysAndLetsItsOwnUserInWithoutOne) {
  start({.addresses = {"*"}, .own_key = giving(random_pair())});
  EXPECT_EQ(server_->protection(), ServerTransport::Protection::keys);
  auto client = connected_client();
  expect_served(*client);
  ASSERT_TRUE(client->send_control(frames("question")));
  EXPECT_EQ(server_->identity_of(server_receives().peer)->kind, Identity::Kind::local);
}

TEST_F(TransportTest, AServerListensOnSeveralAddresses) {
  start({.addresses = {"127.0.0.1", "127.0.0.2", "localhost"}});
  EXPECT_EQ(server_->listening().size(), 2U);
  for (const char* host : {"127.0.0.1", "127.0.0.2"}) {
    auto options = client_options();
    options.host = host;
    auto client = ClientTransport::connect(context_, options, nullptr).value();
    EXPECT_TRUE(
        eventually([&] { return client->wait(kTick, {}).value().disconnected || client->connected(); }));
    EXPECT_TRUE(client->connected()) << client->disconnect_reason();
  }
}

TEST_F(TransportTest, WhoOnlyAsksNeedsNoDataPort) {
  auto options = client_options();
  options.data_port = 1;
  options.control_only = true;
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  EXPECT_TRUE(
      eventually([&] { return client->wait(kTick, {}).value().disconnected || client->connected(); }));
  EXPECT_TRUE(client->connected()) << client->disconnect_reason();
  expect_served(*client);
}

TEST_F(TransportTest, AnotherMachineIsNotTalkedToWithoutItsKey) {
  auto options = client_options();
  options.host = "192.0.2.1";
  const auto client = ClientTransport::connect(context_, options, nullptr);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Errc::refused);
  EXPECT_NE(client.error().text().find("--invite"), std::string::npos);
}

TEST_F(TransportTest, OneContextHasOneAdmission) {
  const auto second = Admission::start(context_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
}

TEST_F(TransportTest, AnAnswerWithoutTheMarkIsNoIdentity) {
  for (const std::string& forged :
       {std::string(), std::string("local"), std::string("anybody"), std::string(32, '0') + "local"})
    EXPECT_EQ(admission_->identity_of(forged), std::nullopt) << forged;
}

// On a socket without keys a peer can write what it likes into its metadata.
TEST_F(TransportTest, WhatAPeerSaysOfItselfIsNotBelieved) {
  start({.insecure = true});
  RawZmtp peer = RawZmtp::connect(server_->control_port());
  peer.send(support::zmtp_greeting() +
            support::zmtp_ready({{"Socket-Type", "DEALER"}, {"User-Id", std::string(32, 'a') + "local"}}));
  ASSERT_TRUE(peer.skip_handshake());
  ASSERT_TRUE(peer.message({"", "head", "body"}));
  EXPECT_EQ(server_->identity_of(server_receives().peer)->kind, Identity::Kind::anybody);
}

TEST_F(TransportTest, WhatLetsInIsThereWhileTheServerListens) {
  const std::string path =
      runtime_dirs().front() + "/access-127.0.0.1-" + std::to_string(server_->control_port());
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0) << path;
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  server_.reset();
  EXPECT_NE(::stat(path.c_str(), &status), 0);
}

TEST(FailuresTest, AreCountedByAddressForAMinute) {
  Failures failures;
  const SteadyTime now{};
  EXPECT_EQ(failures.add("192.0.2.1", now), 1U);
  EXPECT_EQ(failures.add("192.0.2.1", now), 2U);
  EXPECT_EQ(failures.add("192.0.2.2", now), 1U);
  EXPECT_EQ(failures.add("192.0.2.1", now + std::chrono::seconds(61)), 1U);
}

TEST(FailuresTest, ANetworkOfIpv6IsOneAddress) {
  Failures failures;
  const SteadyTime now{};
  EXPECT_EQ(failures.add("2001:db8:1:2::1", now), 1U);
  EXPECT_EQ(failures.add("2001:db8:1:2:ffff::7", now), 2U);
  EXPECT_EQ(failures.add("2001:db8:1:3::1", now), 1U);
  EXPECT_EQ(failures.add("::ffff:192.0.2.1", now), 1U);
  EXPECT_EQ(failures.add("::ffff:192.0.2.2", now), 1U);
}

TEST(FailuresTest, TooManyAddressesAreAllSilenced) {
  Failures failures;
  const SteadyTime now{};
  for (std::size_t i = 0; i < Failures::kAddressesMax; ++i)
    EXPECT_EQ(failures.add("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), now), 1U);
  EXPECT_GT(failures.add("192.0.2.1", now), Admission::kFailuresPerMinute);
  EXPECT_EQ(failures.add("192.0.2.1", now + Failures::kWindow), 1U);
}

}  // namespace
}  // namespace ssync::net
