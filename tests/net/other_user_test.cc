#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ssync/net/socket_owner.h"
#include "ssync/support/raw_zmtp.h"

#include "fixture.h"

namespace ssync::net {
namespace {

using support::RawListener;
using support::RawZmtp;

/// Runs `body` in a child process as user nobody; its result is the exit status.
template <typename Body>
pid_t run_as_nobody(Body body) {
  const passwd* nobody = ::getpwnam("nobody");
  const uid_t uid = nobody != nullptr ? nobody->pw_uid : 65534;
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 2;
  if (::setresuid(uid, uid, uid) == 0) {
    try {
      status = body();
    } catch (const std::exception&) {
      status = 3;
    }
  }
  ::_exit(status);
}

int exit_status(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class OtherUserTest : public TransportTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    TransportTest::SetUp();
  }
};

TEST_F(OtherUserTest, IsRefusedByTheServer) {
  const pid_t child = run_as_nobody([port = server_->control_port()] {
    RawZmtp peer = RawZmtp::dealer(port);
    peer.message({"", "head", "body"});
    return peer.is_closed_by_peer() ? 0 : 1;
  });
  EXPECT_NE(next_notice().find("belongs to user 65534 (nobody)"), std::string::npos);
  EXPECT_EQ(exit_status(child), 0);
  expect_served(*connected_client());
}

TEST_F(OtherUserTest, IsServedWhenAllowed) {
  start(OtherUsers::allow);
  const pid_t child = run_as_nobody([port = server_->control_port()] {
    RawZmtp peer = RawZmtp::dealer(port);
    peer.message({"", "head", "body"});
    return peer.read_message() ? 0 : 1;
  });
  ASSERT_TRUE(server_->send_control(server_receives().peer, frames("reply")));
  EXPECT_EQ(exit_status(child), 0);
}

// The kernel shows a socket that its process has closed as root's.
TEST_F(OtherUserTest, IsNotTakenForRootAfterClosing) {
  const pid_t child = run_as_nobody([port = server_->control_port()] {
    RawZmtp peer = RawZmtp::dealer(port);
    return peer.message({"", "head", "body"}) ? 0 : 1;
  });
  EXPECT_EQ(exit_status(child), 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(server_->wait(kTick, {}, true));
    EXPECT_FALSE(server_->receive_control().value().has_value());
  }
  expect_served(*connected_client());
}

TEST_F(OtherUserTest, IsRefusedAsAServer) {
  RawListener control;
  RawListener data;
  const pid_t child = run_as_nobody([&] {
    RawZmtp first = control.accept_router();
    RawZmtp second = data.accept_router();
    return first.is_closed_by_peer() && second.is_closed_by_peer() ? 0 : 1;
  });
  auto client =
      ClientTransport::connect(context_, {.control_port = control.port(), .data_port = data.port()}, nullptr)
          .value();
  EXPECT_FALSE(client->is_refused());
  expect_lost(*client, "belongs to user 65534 (nobody)");
  EXPECT_TRUE(client->is_refused()) << "trying again is of no use";
  client.reset();
  EXPECT_EQ(exit_status(child), 0);
}

TEST(SocketOwnerTest, FindsOneselfAtTheOtherEnd) {
  RawListener listener;
  const RawZmtp client = RawZmtp::connect(listener.port());
  EXPECT_TRUE(is_loopback_peer(client.fd()));
  EXPECT_EQ(owner_of_peer(client.fd()).value(), std::nullopt)
      << "not accepted yet: nobody's, though the kernel says root";
  const RawZmtp server = listener.accept();
  EXPECT_EQ(owner_of_peer(client.fd()).value(), ::geteuid());
  EXPECT_EQ(owner_of_peer(server.fd()).value(), ::geteuid());
  EXPECT_EQ(stranger(server.fd()), std::nullopt);
}

TEST(SocketOwnerTest, IsNobodyForAClosedPeer) {
  RawListener listener;
  auto client = std::make_optional(RawZmtp::connect(listener.port()));
  const RawZmtp server = listener.accept();
  client.reset();
  EXPECT_EQ(owner_of_peer(server.fd()).value(), std::nullopt);
  EXPECT_NE(stranger(server.fd()).value_or("").find("was closed"), std::string::npos);
}

TEST(SocketOwnerTest, DoesNotTakeOtherDescriptorsForConnections) {
  EXPECT_FALSE(is_loopback_peer(STDIN_FILENO));
  EXPECT_FALSE(is_loopback_peer(-1));
  EXPECT_EQ(owner_of_peer(-1).value(), std::nullopt);
}

}  // namespace
}  // namespace ssync::net
