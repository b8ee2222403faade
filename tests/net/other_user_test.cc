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

/// As user nobody: 0 when the reason why the connection is lost has `expected`, and trying again is of no
/// use.
int disconnected_as_nobody(const ClientTransport::Options& options, const std::string& expected) {
  Context context;
  auto client = ClientTransport::connect(context, options, nullptr);
  if (!client) return 4;
  for (int i = 0; i < 400 && !(*client)->connected(); ++i) {
    if (!(*client)->wait(std::chrono::milliseconds(25), {}).value().disconnected) continue;
    const bool told = (*client)->disconnect_reason().find(expected) != std::string::npos;
    return (*client)->is_refused() && told ? 0 : 1;
  }
  return 5;
}

TEST_F(OtherUserTest, IsRefusedByTheServer) {
  const pid_t child = run_as_nobody(
      [options = client_options()] { return disconnected_as_nobody(options, "belongs to user 0"); });
  EXPECT_NE(next_notice().find("does not know the secret"), std::string::npos);
  EXPECT_EQ(exit_status(child), 0);
  expect_served(*connected_client());
}

TEST_F(OtherUserTest, EndsInTheHandshakeWithoutTheSecret) {
  const pid_t child = run_as_nobody([port = server_->control_port()] {
    RawZmtp peer = RawZmtp::connect(port);
    peer.send(support::zmtp_greeting() + support::zmtp_ready({{"Socket-Type", "DEALER"}}));
    return peer.is_closed_by_peer() ? 0 : 1;
  });
  EXPECT_EQ(exit_status(child), 0);
  expect_served(*connected_client());
}

TEST_F(OtherUserTest, IsServedByAnInsecureServer) {
  start({.insecure = true});
  const pid_t child = run_as_nobody([port = server_->control_port()] {
    RawZmtp peer = RawZmtp::dealer(port);
    peer.message({"", "head", "body"});
    return peer.read_message() ? 0 : 1;
  });
  ASSERT_TRUE(server_->send_control(server_receives().peer, frames("reply")));
  EXPECT_EQ(exit_status(child), 0);
}

TEST_F(OtherUserTest, IsRefusedAsAServer) {
  RawListener control;
  RawListener data;
  const pid_t child = run_as_nobody([&] {
    RawZmtp first = control.accept_router();
    RawZmtp second = data.accept_router();
    return first.is_closed_by_peer() && second.is_closed_by_peer() ? 0 : 1;
  });
  Context own;  // without the server's admission, which would be asked about this end too
  auto client =
      ClientTransport::connect(
          own, {.control_port = control.port(), .data_port = data.port(), .insecure = true}, nullptr)
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
