#include <algorithm>
#include <fstream>

#include "ssync/base/event_fd.h"
#include "ssync/support/raw_zmtp.h"

#include "fixture.h"

namespace ssync::net {
namespace {

using support::RawListener;
using support::RawZmtp;

TEST_F(TransportTest, CarriesARequestAndItsReply) {
  auto client = connected_client();
  ASSERT_TRUE(client->send_control(frames("hello", "rows")));
  const ControlMessage request = server_receives();
  EXPECT_EQ(text(request.frames), "hello|rows");
  ASSERT_TRUE(server_->send_control(request.peer, frames("welcome")));
  EXPECT_EQ(client_receives(*client), "welcome|");
}

TEST_F(TransportTest, CarriesPayloadOfEverySize) {
  auto client = connected_client();
  for (const std::size_t size : {0UL, 1UL, 1024UL, 1025UL, 8191UL, 8192UL, wire::kChunkBytesMax}) {
    const std::string content(size, 'x');
    Buffer head = bytes("head");
    Buffer payload = bytes(content);
    ASSERT_TRUE(client->send_data(head, payload).value());
    const DataMessage message = server_receives_data();
    EXPECT_EQ(text(message.head), "head");
    EXPECT_EQ(text(message.payload), content) << size;
  }
}

TEST_F(TransportTest, CarriesCreditBack) {
  auto client = connected_client();
  Buffer head = bytes("attach");
  Buffer payload;
  ASSERT_TRUE(client->send_data(head, payload).value());
  ASSERT_TRUE(server_->send_data(server_receives_data().peer, bytes("credit"), {}));
  const auto credit = client_receives_data(*client);
  ASSERT_TRUE(credit);
  EXPECT_EQ(text(credit->head), "credit");
}

// Sending reads the socket's mailbox too, and then its descriptor does not tell of what came.
TEST_F(TransportTest, WaitTellsOfAReplyThatCameBetweenTwoRequests) {
  auto client = connected_client();
  ASSERT_TRUE(client->send_control(frames("first")));
  const PeerId peer = server_receives().peer;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(server_->send_control(peer, frames("answer")));
    for (int k = 0; k < 8; ++k) {
      ASSERT_TRUE(client->send_control(frames("question")));
      EXPECT_EQ(text(server_receives().frames), "question|");
    }
    ASSERT_TRUE(client->wait(std::chrono::seconds(20), {}).value().control);
    ASSERT_EQ(text(client->receive_control().value().value()), "answer|");
  }
}

TEST_F(TransportTest, ManyClientsGetTheirOwnReplies) {
  std::vector<std::unique_ptr<ClientTransport>> clients;
  for (int i = 0; i < 20; ++i)
    clients.push_back(connected_client());
  for (std::size_t i = 0; i < clients.size(); ++i)
    ASSERT_TRUE(clients[i]->send_control(frames(std::to_string(i))));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const ControlMessage request = server_receives();
    ASSERT_TRUE(server_->send_control(request.peer, frames("re " + text(request.frames.head))));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(client_receives(*clients[i]), "re " + std::to_string(i) + "|");
  }
}

TEST_F(TransportTest, ControlAndDataOfAClientAreTwoPeers) {
  auto client = connected_client();
  ASSERT_TRUE(client->send_control(frames("hello")));
  Buffer head = bytes("attach");
  Buffer payload;
  ASSERT_TRUE(client->send_data(head, payload).value());
  const PeerId control = server_receives().peer;
  const PeerId data = server_receives_data().peer;
  EXPECT_NE(control, data);
  EXPECT_EQ(server_->send_data(control, bytes("x"), {}).error().code, Errc::closed);
  EXPECT_TRUE(server_->address_of(data).starts_with("127.0.0.1:")) << server_->address_of(data);
  EXPECT_EQ(server_->address_of(99), "?");
}

TEST_F(TransportTest, AKickedPeerIsLostAndGetsNothing) {
  auto client = connected_client();
  auto other = connected_client();
  ASSERT_TRUE(client->send_control(frames("hello")));
  const PeerId peer = server_receives().peer;
  server_->kick(peer);
  EXPECT_EQ(server_->send_control(peer, frames("late")).error().code, Errc::closed);
  expect_lost(*client, "the server closed the connection");
  EXPECT_EQ(client->send_control(frames("again")).error().code, Errc::closed);
  expect_served(*other);
}

TEST_F(TransportTest, SendingToAClientThatWentIsClosed) {
  auto client = connected_client();
  ASSERT_TRUE(client->send_control(frames("hello")));
  const PeerId peer = server_receives().peer;
  client.reset();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(server_->wait(kTick, {}, true));
    const auto sent = server_->send_control(peer, frames("reply"));
    return !sent && sent.error().code == Errc::closed;
  }));
}

TEST_F(TransportTest, AServerIsToldOfAConnectionThatIsGone) {
  auto client = connected_client();
  Buffer head = bytes("head");
  Buffer payload = bytes("payload");
  ASSERT_TRUE(client->send_control(frames("hello")));
  ASSERT_TRUE(client->send_data(head, payload).value());
  std::vector<PeerId> expected{server_receives().peer, server_receives_data().peer};
  EXPECT_TRUE(server_->take_gone().empty());
  client.reset();
  std::vector<PeerId> gone;
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(server_->wait(kTick, {}, true));
    const std::vector<PeerId> more = server_->take_gone();
    gone.insert(gone.end(), more.begin(), more.end());
    return gone.size() >= 2;
  }));
  std::sort(gone.begin(), gone.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(gone, expected);
}

TEST_F(TransportTest, AClientNoticesThatTheServerWent) {
  auto client = connected_client();
  server_.reset();
  expect_lost(*client, "the server closed the connection");
}

TEST_F(TransportTest, AClientThatConnectedToNothingSaysWhy) {
  const ClientTransport::Options options{.control_port = RawListener().port(),
                                         .data_port = RawListener().port()};
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  expect_lost(*client, "127.0.0.1:" + std::to_string(options.control_port) + ": Connection refused");
}

TEST_F(TransportTest, AClientOfHalfAServerSaysWhichPort) {
  auto options = client_options();
  options.data_port = RawListener().port();
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  expect_lost(*client, ":" + std::to_string(options.data_port) + ": Connection refused");
}

TEST_F(TransportTest, AClientOfSomethingElseSaysSo) {
  RawListener web_server;
  auto options = client_options();
  options.control_port = web_server.port();
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  RawZmtp connection = web_server.accept();
  connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return client->wait(kTick, {}).value().disconnected; }));
  EXPECT_FALSE(client->disconnect_reason().empty());
}

TEST_F(TransportTest, AnUnknownHostIsNotFound) {
  auto options = client_options();
  options.host = "no-such-host.invalid";
  const auto client = ClientTransport::connect(context_, options, nullptr);
  ASSERT_FALSE(client);
  EXPECT_NE(client.error().text().find("no-such-host.invalid"), std::string::npos);
}

TEST_F(TransportTest, ReachesAServerByItsNumberToo) {
  auto options = client_options();
  options.host = "127.0.0.1";
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  EXPECT_TRUE(
      eventually([&] { return client->wait(kTick, {}).value().disconnected || client->connected(); }));
  EXPECT_TRUE(client->connected()) << client->disconnect_reason();
}

TEST_F(TransportTest, LocalhostReachesAServerOnIpv6Alone) {
  auto bound = bind({.addresses = {"::1"}});
  if (!bound) GTEST_SKIP() << bound.error().text();
  server_ = *std::move(bound);
  auto client = connected_client();
  expect_served(*client);
}

TEST_F(TransportTest, APortInUseIsNamed) {
  const auto second = ServerTransport::bind(
      context_, *admission_, {.control_port = server_->control_port(), .data_port = 0}, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().text().find(std::to_string(server_->control_port())), std::string::npos);
}

TEST_F(TransportTest, RefusesAddressesThatAreNone) {
  for (const char* address :
       {"", "no-such-host.invalid", "tcp://127.0.0.1", "198.51.100.7", "127.0.0.1:80"}) {
    const auto server = bind({.addresses = {address}, .insecure = true});
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code, Errc::invalid_argument) << address << ": " << server.error().text();
  }
}

TEST_F(TransportTest, OnePortCannotBeBoth) {
  const auto server =
      ServerTransport::bind(context_, *admission_, {.control_port = 7101, .data_port = 7101}, nullptr);
  EXPECT_EQ(server.error().code, Errc::invalid_argument);
}

TEST_F(TransportTest, FreePortsAreDifferentAndNotEphemeral) {
  unsigned low = 32768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low;
  EXPECT_NE(server_->control_port(), server_->data_port());
  if (low > 12000) {
    EXPECT_LT(server_->control_port(), low);
    EXPECT_LT(server_->data_port(), low);
  }
}

TEST_F(TransportTest, WaitEndsForADescriptorOfTheCaller) {
  EventFd idle = EventFd::create().value();
  EventFd wake = EventFd::create().value();
  wake.signal();
  const std::vector<int> fds{idle.fd(), wake.fd()};
  const std::vector<bool> expected{false, true};
  EXPECT_EQ(server_->wait(std::chrono::seconds(60), fds, true).value().fds, expected);
  auto client = connected_client();
  EXPECT_EQ(client->wait(std::chrono::seconds(60), fds).value().fds, expected);
}

TEST_F(TransportTest, DataIsLeftUnreadWhenTheServerDoesNotWantIt) {
  auto client = connected_client();
  Buffer head = bytes("head");
  Buffer payload = bytes("payload");
  ASSERT_TRUE(client->send_data(head, payload).value());
  EXPECT_TRUE(eventually([&] { return server_->wait(kTick, {}, true).value().data; }));
  EXPECT_FALSE(server_->wait(kTick, {}, false).value().data);
  EXPECT_EQ(text(server_receives_data().payload), "payload");
}

TEST_F(TransportTest, SentBuffersAreGivenBack) {
  BufferPool pool(wire::kChunkBytesMax, 2);
  auto client = connected_client();
  for (int i = 0; i < 6; ++i) {
    std::optional<Buffer> payload;
    EXPECT_TRUE(eventually([&] { return (payload = pool.try_take()).has_value(); })) << "never came back";
    std::memset(payload->writable().data(), i, payload->size());
    Buffer head = bytes("head");
    ASSERT_TRUE(client->send_data(head, *payload).value());
    EXPECT_TRUE(payload->empty());
    EXPECT_EQ(server_receives_data().payload.size(), wire::kChunkBytesMax);
  }
  EXPECT_TRUE(eventually([&] { return pool.buffers_out() == 0; }));
}

TEST_F(TransportTest, AFullQueueTakesNothingAndTellsWhenThereIsRoom) {
  start({.insecure = true});
  RawListener listener;
  auto options = client_options();
  options.data_port = listener.port();
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  RawZmtp server = listener.accept_router();
  EXPECT_TRUE(
      eventually([&] { return client->wait(kTick, {}).value().disconnected || client->connected(); }));
  const Buffer content = bytes(std::string(wire::kChunkBytesMax, 'x'));
  Buffer head;
  Buffer payload;
  std::size_t sent = 0;
  for (bool taken = true; taken && sent < 1000; sent += taken ? 1 : 0) {
    head = bytes("head");
    payload = content.share();
    taken = client->send_data(head, payload).value();
  }
  EXPECT_LT(sent, 1000U);
  EXPECT_EQ(payload.size(), wire::kChunkBytesMax);
  EXPECT_FALSE(client->wait(kTick, {}).value().data_room);
  for (std::size_t i = 0; i < sent; ++i)
    ASSERT_TRUE(server.read_message());
  EXPECT_TRUE(eventually([&] { return client->wait(kTick, {}).value().data_room; }));
  EXPECT_TRUE(client->send_data(head, payload).value());
}

TEST_F(TransportTest, NothingCanBeSentBeforeTheConnectionIsThere) {
  RawListener silent;
  auto options = client_options();
  options.control_port = silent.port();
  auto client = ClientTransport::connect(context_, options, nullptr).value();
  EXPECT_EQ(client->send_control(frames("early")).error().code, Errc::closed);
}

TEST_F(TransportTest, AReplyRepeatsTheEnvelopeOfItsRequest) {
  start({.insecure = true});
  RawZmtp req = RawZmtp::dealer(server_->control_port());
  ASSERT_TRUE(req.message({"id", "", "head", "body"}));
  const ControlMessage request = server_receives();
  EXPECT_EQ(text(request.frames), "head|body");
  ASSERT_TRUE(server_->send_control(request.peer, frames("reply")));
  EXPECT_EQ(req.read_message(), (std::vector<std::string>{"id", "", "reply", ""}));
}

}  // namespace
}  // namespace ssync::net
