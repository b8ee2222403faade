// Connections that say nothing: how many there may be, and for how long.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "ssync/support/raw_zmtp.h"

#include "fixture.h"

namespace ssync::net {
namespace {

using std::chrono::milliseconds;
using support::RawZmtp;

class ArrivalsTest : public TransportTest {
 protected:
  /// The server's thread does its work for so long.
  void serve_for(milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      EXPECT_TRUE(server_->wait(kTick, {}, true));
      EXPECT_FALSE(server_->receive_control().value().has_value());
    }
  }
};

TEST_F(ArrivalsTest, OverTheLimitTheOldestHandshakesMakeRoom) {
  start({.connections_max = 8});
  std::vector<RawZmtp> silent;
  for (int i = 0; i < 20; ++i)
    silent.push_back(RawZmtp::connect(i % 2 == 0 ? server_->control_port() : server_->data_port()));
  serve_for(milliseconds(300));
  EXPECT_TRUE(silent.front().is_closed_by_peer());
  std::vector<std::string> notices = server_->take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_NE(notices.front().find("more than 8 connections"), std::string::npos) << notices.front();
  auto client = start_client();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(server_->wait(kTick, {}, true));
    return client->wait(kTick, {}).value().disconnected || client->connected();
  }));
  EXPECT_TRUE(client->connected()) << client->disconnect_reason();
  expect_served(*client);
}

TEST_F(ArrivalsTest, WhoIsThroughTheHandshakeIsNotBrokenForOneWhoIsNot) {
  start({.connections_max = 4});
  auto client = connected_client();
  expect_served(*client);
  std::vector<RawZmtp> silent;
  for (int i = 0; i < 50; ++i) {
    silent.push_back(RawZmtp::connect(server_->control_port()));
    serve_for(milliseconds(2));
  }
  serve_for(milliseconds(300));
  expect_served(*client);
}

TEST_F(ArrivalsTest, AConnectionThatSaysNothingIsClosed) {
  start({.insecure = true, .silence = milliseconds(300)});
  auto client = connected_client();
  expect_served(*client);
  RawZmtp silent = RawZmtp::dealer(server_->control_port());
  RawZmtp silent_data = RawZmtp::dealer(server_->data_port());
  serve_for(milliseconds(1000));
  EXPECT_TRUE(silent.is_closed_by_peer());
  const std::vector<std::string> notices = server_->take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_NE(notices.front().find("said nothing"), std::string::npos) << notices.front();
  expect_served(*client);
  EXPECT_TRUE(silent_data.send("x")) << "a data connection waits for its client's turn";
}

TEST_F(ArrivalsTest, AFloodOfConnectionsLeavesTheServerItsDescriptors) {
  start({.connections_max = 16});
  const auto count = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  const auto before = count();
  std::atomic<bool> over{false};
  std::jthread flood([&] {
    while (!over.load()) {
      try {
        RawZmtp::connect(server_->control_port()).reset();
      } catch (const std::runtime_error&) {
        std::this_thread::sleep_for(milliseconds(1));
      }
    }
  });
  std::ptrdiff_t most = 0;
  for (int i = 0; i < 50; ++i) {
    serve_for(milliseconds(20));
    most = std::max(most, count());
  }
  auto client = connected_client();
  expect_served(*client);
  over.store(true);
  EXPECT_LT(most - before, 16 + 300) << "what the kernel has accepted beforehand comes on top";
}

}  // namespace
}  // namespace ssync::net
