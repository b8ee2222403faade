// Who has no key, and who has one and means harm, beside somebody who syncs: that one is served, and the
// server stays within what an attack may cost.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "ssync/base/unique_fd.h"
#include "ssync/net/runtime_dir.h"
#include "ssync/support/raw_zmtp.h"
#include "ssync/support/sanitizers.h"

#include "attack.h"
#include "harness.h"

namespace ssync::hostile {
namespace {

using namespace integration;
using support::More;
using support::RawZmtp;

/// A connection that is being made: the kernel may drop what would make it.
UniqueFd start_connecting(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in to = RawZmtp::loopback(port);
  (void)::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return fd;
}

class StrangerTest : public testing::Test {
 protected:
  static constexpr std::size_t kDescriptors = 512;

  void SetUp() override {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    // The server inherits it; this process needs more for itself.
    const rlimit few{kDescriptors, kDescriptors > before.rlim_max ? before.rlim_max : kDescriptors};
    for (int i = 0; i < 500; ++i)
      write_file(bench_.source() / ("f" + std::to_string(i)),
                 std::string(static_cast<std::size_t>(i) * 10, 'x'));
    bench_.start_server();
    ::prlimit(bench_.server().pid(), RLIMIT_NOFILE, &few, nullptr);
    bench_.expect_sync();
    expect_served("alone");
  }
  /// Three syncs of changes, each of which must end. How long they take is for whoever looks (test.xml).
  void expect_served(const std::string& when = "attacked") {
    const auto began = std::chrono::steady_clock::now();
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 100; ++i)
        write_file(bench_.source() / ("f" + std::to_string(i)), "round " + std::to_string(round));
      bench_.expect_sync({"--contimeout", "20"});
    }
    const auto lasted = std::chrono::steady_clock::now() - began;
    RecordProperty(when + "_ms", static_cast<int>(lasted / std::chrono::milliseconds(1)));
  }
  [[nodiscard]] std::uint16_t port(std::size_t n) const {
    return n % 2 == 0 ? bench_.control_port() : bench_.data_port();
  }
  /// What lets this user in.
  [[nodiscard]] std::string secret() const {
    std::ifstream file(net::runtime_dirs().front() + "/access-127.0.0.1-" +
                       std::to_string(bench_.control_port()));
    std::string form;
    std::string kind;
    std::string digits;
    file >> form >> kind >> digits;
    return digits;
  }

  Bench bench_;
};

TEST_F(StrangerTest, ConnectionsWithoutEndThatSayNothing) {
  std::deque<UniqueFd> open;
  Attack attack(bench_.server().pid(), [&, n = std::size_t{0}]() mutable {
    open.push_back(start_connecting(port(n++)));
    if (open.size() > 400) open.pop_front();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  expect_little_work(attack);
  expect_served();
  attack.stop();
  EXPECT_GT(attack.steps(), 400U);
  expect_bearable(attack, kDescriptors);
}

TEST_F(StrangerTest, GreetingsWithoutASecret) {
  Attack attack(bench_.server().pid(), [&, n = std::size_t{0}]() mutable {
    const UniqueFd fd = start_connecting(port(n++));
    const std::string bytes = support::zmtp_greeting(3, 0, n % 3 == 0 ? "PLAIN" : "NULL") +
                              support::zmtp_ready({{"Socket-Type", "DEALER"}});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    (void)::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  expect_little_work(attack);
  expect_served();
  attack.stop();
  EXPECT_GT(attack.steps(), 50U);
  expect_bearable(attack, kDescriptors);
}

TEST_F(StrangerTest, SecretsThatAreGuessed) {
  Attack attack(bench_.server().pid(), [&] {
    try {
      const RawZmtp peer = RawZmtp::plain(bench_.control_port(), "DEALER", std::string(64, 'a'));
      ADD_FAILURE() << "a wrong secret was taken";
    } catch (const std::exception&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  expect_little_work(attack);
  expect_served();
  attack.stop();
  expect_bearable(attack, kDescriptors);
}

// Whoever is let in can try to fill its memory with a message that has no end.
TEST_F(StrangerTest, MessagesWithoutEndFromSomebodyWhoIsLetIn) {
  const std::string frame = support::zmtp_frame(std::string(100 * 1024, 'x'), More::yes);
  Attack attack(bench_.server().pid(), [&, n = std::size_t{0}]() mutable {
    try {
      RawZmtp peer = RawZmtp::plain(port(n++), "DEALER", secret());
      // Once the other end has closed it, the kernel may keep what waits for a minute.
      const timeval soon{0, 200'000};
      ::setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
      while (std::chrono::steady_clock::now() < until && !peer.is_closed_now() && peer.send(frame)) {
      }
    } catch (const std::exception&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  expect_served();
  attack.stop();
  EXPECT_GT(attack.steps(), 1U);
  EXPECT_LE(attack.descriptors_max(), kDescriptors);
  if (!support::kHasSanitizer) {
    EXPECT_LT(attack.rss_mib_max(), 300U);
  }
}

}  // namespace
}  // namespace ssync::hostile
