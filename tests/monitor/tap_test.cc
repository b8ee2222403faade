#include "ssync/monitor/tap.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "ssync/monitor/renderer.h"

namespace ssync::monitor {
namespace {

using std::chrono::milliseconds;
using wire::TapKind;
using wire::TapRecord;

TapRecord message(std::uint64_t seq) {
  return {.kind = TapKind::control,
          .direction = wire::Direction::in,
          .type = "next",
          .seq = seq,
          .summary = "ack"};
}

class TapTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ssync-tap-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string endpoint() const { return "ipc://" + directory_ + "/tap.sock"; }

  /// The next record that `wanted` likes; the others are passed over.
  template <typename Wanted>
  TapRecord receive(net::Subscriber& subscriber, Wanted wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      const auto bytes = subscriber.receive(milliseconds(50), {}).value();
      if (!bytes) continue;
      auto record = wire::decode_tap(bytes->bytes()).value();
      if (wanted(record)) return record;
    }
    ADD_FAILURE() << "nothing came";
    return {};
  }
  TapRecord receive_message(net::Subscriber& subscriber) {
    return receive(subscriber, [](const TapRecord& record) { return record.kind == TapKind::control; });
  }
  /// Until the publisher knows of the subscriber, which then has been sent the state.
  TapRecord receive_state(net::Subscriber& subscriber) {
    return receive(subscriber, [](const TapRecord& record) { return record.kind == TapKind::state; });
  }

  net::Context context_{1};
  const std::unique_ptr<net::Admission> admission_ = net::Admission::start(context_).value();
  std::string directory_;
};

TEST_F(TapTest, RecordsReachASubscriberNumbered) {
  TapRing ring;
  auto publisher = TapPublisher::start(context_, *admission_, ring, {endpoint()}).value();
  auto subscriber = net::Subscriber::connect(context_, {endpoint()}).value();
  const std::uint64_t state = receive_state(*subscriber).number;
  ASSERT_TRUE(ring.active());
  ring.push(message(1));
  ring.push(message(2));
  TapRecord first = message(1);
  TapRecord second = message(2);
  first.number = state + 1;
  second.number = state + 2;
  EXPECT_EQ(receive_message(*subscriber), first);
  EXPECT_EQ(receive_message(*subscriber), second);
}

TEST_F(TapTest, IsNotActiveWithoutASubscriber) {
  TapRing ring;
  EXPECT_FALSE(ring.active());
  auto publisher = TapPublisher::start(context_, *admission_, ring, {endpoint()}).value();
  auto subscriber = net::Subscriber::connect(context_, {endpoint()}).value();
  receive_state(*subscriber);
  EXPECT_TRUE(ring.active());
  subscriber.reset();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ring.active() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_FALSE(ring.active());
}

TEST_F(TapTest, TheRingDropsAndCountsWhenItIsFull) {
  TapRing ring(3);
  for (std::uint64_t i = 0; i < 10; ++i)
    ring.push(message(i));
  auto publisher = TapPublisher::start(context_, *admission_, ring, {endpoint()}).value();
  auto subscriber = net::Subscriber::connect(context_, {endpoint()}).value();
  EXPECT_EQ(receive_state(*subscriber).dropped, 7U);
}

TEST_F(TapTest, ASubscriberIsToldWhatTheRingDropped) {
  TapRing ring(4);
  auto publisher = TapPublisher::start(context_, *admission_, ring, {endpoint()}).value();
  auto subscriber = net::Subscriber::connect(context_, {endpoint()}).value();
  Renderer renderer({});
  EXPECT_EQ(renderer.render(receive_state(*subscriber)), "");
  for (std::uint64_t i = 0; i < 1000; ++i)
    ring.push(message(i));
  std::string lines;
  receive(*subscriber, [&](const TapRecord& record) {
    lines = renderer.render(record);
    return lines.starts_with("-- ");
  });
  EXPECT_NE(lines.find("dropped by the server --\n"), std::string::npos) << lines;
}

TEST_F(TapTest, ASecondPublisherOfOneEndpointIsRefused) {
  TapRing ring;
  TapRing other;
  auto publisher = TapPublisher::start(context_, *admission_, ring, {endpoint()}).value();
  const auto second = TapPublisher::start(context_, *admission_, other, {endpoint()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
}

TEST_F(TapTest, ManyThreadsMayPush) {
  TapRing ring(100'000);
  auto publisher = TapPublisher::start(context_, *admission_, ring, {endpoint()}).value();
  auto subscriber = net::Subscriber::connect(context_, {endpoint()}).value();
  receive_state(*subscriber);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&ring] {
        for (std::uint64_t i = 0; i < 100; ++i)
          ring.push(message(i));
      });
    }
  }
  std::uint64_t sum = 0;
  for (int i = 0; i < 400; ++i)
    sum += receive_message(*subscriber).seq;
  EXPECT_EQ(sum, 4U * 4950U);
}

}  // namespace
}  // namespace ssync::monitor
