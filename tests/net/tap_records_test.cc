#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"

#include "fixture.h"

namespace ssync::net {
namespace {

class FakeTap final : public Tap {
 public:
  [[nodiscard]] bool active() const noexcept override { return listening; }
  void push(wire::TapRecord record) noexcept override {
    EXPECT_GT(record.time_ns, 0);
    const char* arrow = record.direction == wire::Direction::in    ? "<"
                        : record.direction == wire::Direction::out ? ">"
                                                                   : "-";
    lines.push_back(std::string(arrow) + " " + std::to_string(record.peer) + " " + record.type + " " +
                    std::to_string(record.seq) + " " + std::to_string(record.rows));
    labels.push_back((record.mirror ? *record.mirror : "-") + "#" + std::to_string(record.session));
    bytes += record.bytes;
  }

  bool listening = true;
  std::vector<std::string> lines;
  std::vector<std::string> labels;  ///< "photos#3", "-#0" without one
  std::uint64_t bytes = 0;
};

class TapRecordsTest : public TransportTest {
 protected:
  void SetUp() override { start({}, &tap_); }

  static wire::Frames request() {
    return wire::encode(wire::Request{.seq = 7, .body = wire::Next{.ack = 3}});
  }
  static wire::Frames reply() { return wire::encode(wire::Reply{.seq = 7, .body = wire::Wait{}}); }
  PeerId exchange(ClientTransport& client) {
    EXPECT_TRUE(client.send_control(request()));
    const PeerId peer = server_receives().peer;
    EXPECT_TRUE(server_->send_control(peer, reply()));
    EXPECT_NE(client_receives(client), "nothing");
    return peer;
  }

  FakeTap tap_;
};

TEST_F(TapRecordsTest, DescribeRequestAndReply) {
  auto client = connected_client();
  exchange(*client);
  EXPECT_EQ(tap_.lines, (std::vector<std::string>{"< 1 connected 0 0", "< 1 next 7 0", "> 1 wait 7 0"}));
  EXPECT_EQ(tap_.bytes, request().bytes() + reply().bytes());
}

TEST_F(TapRecordsTest, DescribeData) {
  auto client = connected_client();
  wire::DataHead head{.type = wire::DataType::data, .tag = 1, .number = 4};
  head.segments.push_back({.row = 9, .offset = 0, .length = 5});
  Buffer encoded = wire::encode(head);
  Buffer payload = bytes("hello");
  ASSERT_TRUE(client->send_data(encoded, payload).value());
  const PeerId peer = server_receives_data().peer;
  ASSERT_TRUE(server_->send_data(
      peer, wire::encode(wire::DataHead{.type = wire::DataType::credit, .number = 2}), {}));
  EXPECT_EQ(tap_.lines, (std::vector<std::string>{"< 1 connected 0 0", "< 1 data 4 1", "> 1 credit 2 0"}));
}

TEST_F(TapRecordsTest, AreNotMadeWhileNobodyListens) {
  tap_.listening = false;
  auto client = connected_client();
  exchange(*client);
  EXPECT_TRUE(tap_.lines.empty());
}

TEST_F(TapRecordsTest, ShowMessagesThatNobodyUnderstands) {
  auto client = connected_client();
  ASSERT_TRUE(client->send_control(frames("garbage")));
  EXPECT_EQ(text(server_receives().frames), "garbage|");
  EXPECT_EQ(tap_.lines.back(), "< 1 ? 0 0");
}

TEST_F(TapRecordsTest, CarryTheLabelOfTheirPeerFromThenOn) {
  auto client = connected_client();
  const PeerId peer = exchange(*client);
  auto other = connected_client();
  server_->label(peer, {.mirror = "photos", .session = 3});
  tap_.labels.clear();
  exchange(*client);
  server_->unlabel(peer, 2);  // another session's
  exchange(*client);
  server_->unlabel(peer, 3);
  exchange(*client);
  EXPECT_EQ(tap_.labels, (std::vector<std::string>{"photos#3", "photos#3", "photos#3", "photos#3", "photos#0",
                                                   "photos#0"}));
  tap_.labels.clear();
  exchange(*other);
  EXPECT_EQ(tap_.labels, (std::vector<std::string>{"-#0", "-#0", "-#0"})) << "another connection has none";
  server_->label(peer, {.mirror = "", .session = 4});
  tap_.labels.clear();
  exchange(*client);
  client.reset();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(server_->wait(kTick, {}, true));
    return tap_.lines.back() == "- 1 disconnected 0 0";
  }));
  EXPECT_EQ(tap_.labels, (std::vector<std::string>{"#4", "#4", "#4"}));
  server_->label(99, {});
  server_->unlabel(99, 1);
}

TEST_F(TapRecordsTest, OfDataAndKicksCarryItToo) {
  auto client = connected_client();
  Buffer encoded = wire::encode(wire::DataHead{.type = wire::DataType::attach, .tag = 1});
  Buffer payload = bytes("0123456789abcdef");
  ASSERT_TRUE(client->send_data(encoded, payload).value());
  const PeerId peer = server_receives_data().peer;
  server_->label(peer, {.mirror = "photos", .session = 3});
  ASSERT_TRUE(server_->send_data(peer, wire::encode(wire::DataHead{.type = wire::DataType::credit}), {}));
  server_->kick(peer);
  EXPECT_EQ(tap_.lines, (std::vector<std::string>{"< 1 connected 0 0", "< 1 attach 0 0", "> 1 credit 0 0",
                                                  "- 1 kicked 0 0"}));
  EXPECT_EQ(tap_.labels, (std::vector<std::string>{"-#0", "-#0", "photos#3", "photos#3"}));
}

TEST_F(TapRecordsTest, AHelloIsOfTheMirrorThatItNames) {
  auto client = connected_client();
  const wire::Hello hello{
      .program = "test", .source_id = "source", .ancestry = {wire::NodeId{1, 2}}, .mirror = "photos"};
  ASSERT_TRUE(client->send_control(wire::encode(wire::Request{.seq = 1, .body = hello})));
  static_cast<void>(server_receives());
  EXPECT_EQ(tap_.lines.back(), "< 1 hello 1 0");
  EXPECT_EQ(tap_.labels.back(), "photos#0");
}

TEST_F(TapRecordsTest, ShowKicksAndDisconnections) {
  auto kicked = connected_client();
  server_->kick(exchange(*kicked));
  EXPECT_EQ(tap_.lines.back(), "- 1 kicked 0 0");
  auto client = connected_client();
  exchange(*client);
  client.reset();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(server_->wait(kTick, {}, true));
    return tap_.lines.back() == "- 2 disconnected 0 0";
  }));
}

}  // namespace
}  // namespace ssync::net
