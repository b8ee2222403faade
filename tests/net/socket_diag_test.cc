#include "socket_diag.h"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include <gtest/gtest.h>

#include "ssync/support/raw_zmtp.h"

namespace ssync::net {
namespace {

using support::RawListener;
using support::RawZmtp;

unsigned long inode_of(int fd) {
  struct stat status {};
  EXPECT_EQ(::fstat(fd, &status), 0);
  return status.st_ino;
}

/// The socket at this end, as the kernel says it.
std::optional<SocketRow> asked(int fd) {
  return ask_socket(end_of(*local_address(fd)), end_of(*peer_address(fd)));
}
std::optional<SocketRow> asked_for_peer(int fd) {
  return ask_socket(end_of(*peer_address(fd)), end_of(*local_address(fd)));
}

TEST(SocketDiagTest, FindsTheSocketAtEitherEnd) {
  RawListener listener;
  const RawZmtp client = RawZmtp::connect(listener.port());
  const RawZmtp server = listener.accept();
  const auto row = asked(client.fd());
  if (!row) GTEST_SKIP() << "this kernel does not say";
  EXPECT_EQ(row->inode, inode_of(client.fd()));
  EXPECT_EQ(row->uid, ::geteuid());
  EXPECT_EQ(row->local, end_of(*local_address(client.fd())));
  EXPECT_EQ(asked_for_peer(client.fd()).value_or(SocketRow{}).inode, inode_of(server.fd()));
}

TEST(SocketDiagTest, NobodyHasWhatWasNotAccepted) {
  RawListener listener;
  const RawZmtp client = RawZmtp::connect(listener.port());
  if (!asked(client.fd())) GTEST_SKIP() << "this kernel does not say";
  EXPECT_EQ(asked_for_peer(client.fd()).value_or(SocketRow{}).inode, 0U);
}

TEST(SocketDiagTest, DoesNotTakeTheListenerForAConnection) {
  RawListener listener;
  const RawZmtp client = RawZmtp::connect(listener.port());
  SocketEnd nobody = end_of(*local_address(client.fd()));
  nobody.port = nobody.port == 1 ? 2 : 1;  // never given to a client
  EXPECT_FALSE(ask_socket(end_of(*peer_address(client.fd())), nobody));
}

}  // namespace
}  // namespace ssync::net
