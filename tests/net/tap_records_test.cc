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
    bytes += record.bytes;
  }

  bool listening = true;
  std::vector<std::string> lines;
  std::uint64_t bytes = 0;
};

class TapRecordsTest : public TransportTest {
 protected:
  void SetUp() override { start(OtherUsers::refuse, &tap_); }

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
