#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "ssync/base/event_fd.h"
#include "ssync/net/runtime_dir.h"
#include "ssync/support/raw_zmtp.h"

#include "fixture.h"

namespace ssync::net {
namespace {

using std::chrono::milliseconds;
using support::RawZmtp;

class PublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ssync-tap-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string endpoint() const { return "ipc://" + directory_ + "/private/tap.sock"; }
  /// On a port that was free just now.
  static std::string tcp_endpoint() {
    return "tcp://127.0.0.1:" + std::to_string(support::RawListener().port());
  }
  static std::uint16_t port_of_endpoint(const std::string& tcp) {
    return static_cast<std::uint16_t>(std::stoul(tcp.substr(tcp.rfind(':') + 1)));
  }
  /// As the tap left it for programs of this user.
  static std::string secret_at(const std::string& tcp) {
    const std::string path =
        runtime_dirs().front() + "/access-127.0.0.1-" + std::to_string(port_of_endpoint(tcp));
    std::ifstream file(path);
    std::string form;
    std::string kind;
    std::string digits;
    file >> form >> kind >> digits;
    return digits;
  }
  bool has_subscribers(TapSocket& publisher, bool expected = true) {
    return eventually([&] { return publisher.wait(milliseconds(5), wake_.fd()).value() == expected; });
  }
  void expect_not_bound(const std::string& where, Errc code, const std::string& why) {
    const auto publisher = TapSocket::bind(context_, *admission_, {where});
    ASSERT_FALSE(publisher) << where;
    EXPECT_EQ(publisher.error().code, code) << publisher.error().text();
    EXPECT_NE(publisher.error().text().find(why), std::string::npos) << publisher.error().text();
  }

  Context context_;
  const std::unique_ptr<Admission> admission_ = Admission::start(context_).value();
  EventFd wake_ = EventFd::create().value();
  std::string directory_;
};

TEST_F(PublisherTest, ASubscriberReceivesWhatIsPublishedWhileItListens) {
  auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
  ASSERT_TRUE(publisher->publish("sync", bytes("unheard")));
  auto subscriber = Subscriber::connect(context_, {endpoint()}).value();
  ASSERT_TRUE(has_subscribers(*publisher));
  ASSERT_TRUE(publisher->publish("sync", bytes("record")));
  const auto record = subscriber->receive(std::chrono::seconds(20), {}).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(text(*record), "record");
}

TEST_F(PublisherTest, KnowsWhenTheLastSubscriberHasGone) {
  auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
  auto first = Subscriber::connect(context_, {endpoint()}).value();
  auto second = Subscriber::connect(context_, {endpoint()}).value();
  ASSERT_TRUE(has_subscribers(*publisher));
  first.reset();
  second.reset();
  ASSERT_TRUE(has_subscribers(*publisher, false));
  auto third = Subscriber::connect(context_, {endpoint()}).value();
  EXPECT_TRUE(has_subscribers(*publisher));
}

TEST_F(PublisherTest, ASubscriberSurvivesARestartOfThePublisher) {
  auto subscriber = Subscriber::connect(context_, {endpoint()}).value();
  for (const char* record : {"first", "second"}) {
    auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
    // A subscriber subscribes again in its own thread, so it must be at work too.
    std::optional<Buffer> received;
    EXPECT_TRUE(eventually([&] {
      const bool heard = publisher->wait(milliseconds(5), wake_.fd()).value();
      EXPECT_TRUE(!heard || publisher->publish("sync", bytes(record)));
      received = subscriber->receive(milliseconds(5), {}).value();
      return received && text(*received) == record;
    }));
  }
}

TEST_F(PublisherTest, NeverBlocksOnASubscriberThatDoesNotRead) {
  auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
  auto subscriber = Subscriber::connect(context_, {endpoint()}).value();
  ASSERT_TRUE(has_subscribers(*publisher));
  const Buffer record = bytes(std::string(2000, 'x'));
  constexpr int kRecords = 30'000;
  for (int i = 0; i < kRecords; ++i)
    ASSERT_TRUE(publisher->publish("sync", record.share()));
  int received = 0;
  while (subscriber->receive(milliseconds(100), {}).value())
    ++received;
  EXPECT_GT(received, 0);
  EXPECT_LT(received, kRecords) << "the rest was dropped, not waited for";
}

TEST_F(PublisherTest, AWaitOfEitherEndsForADescriptor) {
  auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
  auto subscriber = Subscriber::connect(context_, {endpoint()}).value();
  wake_.signal();
  EXPECT_TRUE(publisher->wait(std::chrono::seconds(60), wake_.fd()));
  const std::array<int, 1> fds{wake_.fd()};
  EXPECT_FALSE(subscriber->receive(std::chrono::seconds(60), fds).value().has_value());
}

TEST_F(PublisherTest, MakesItsDirectoryForThisUserAlone) {
  auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
  struct stat status {};
  ASSERT_EQ(::stat((directory_ + "/private").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(PublisherTest, OneEndpointHasOnePublisher) {
  {
    auto publisher = TapSocket::bind(context_, *admission_, {endpoint()}).value();
    expect_not_bound(endpoint(), Errc::busy, "is in use by another server");
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/private")) << "nothing stays behind";
  EXPECT_TRUE(TapSocket::bind(context_, *admission_, {endpoint()})) << "free again";
}

// libzmq reads on whatever comes, and the tap's thread takes it: at a mark that fills, a reset would end the
// process.
TEST_F(PublisherTest, SubscriptionsWithoutEndAndAResetHarmNothing) {
  const std::string tcp = tcp_endpoint();
  auto publisher = TapSocket::bind(context_, *admission_, {tcp}).value();
  RawZmtp peer = RawZmtp::plain(port_of_endpoint(tcp), "SUB", secret_at(tcp));
  std::string flood;
  for (int i = 0; i < 5000; ++i)
    flood += support::zmtp_frame("\1sync.", support::More::no);
  peer.send(flood + support::zmtp_command("PING", std::string("\0\1ctx", 5)) + flood);
  peer.reset();
  EXPECT_TRUE(has_subscribers(*publisher, false));
  auto subscriber = Subscriber::connect(context_, {tcp}).value();
  EXPECT_TRUE(has_subscribers(*publisher));
}

TEST_F(PublisherTest, WhoSaysMoreThanASubscriberDoesIsCutOff) {
  const std::string tcp = tcp_endpoint();
  auto publisher = TapSocket::bind(context_, *admission_, {tcp}).value();
  RawZmtp peer = RawZmtp::plain(port_of_endpoint(tcp), "SUB", secret_at(tcp));
  const std::string frame =
      support::zmtp_frame(std::string("\1") + std::string(200, 'x'), support::More::yes);
  std::thread sending([&] {
    while (peer.send(frame)) {
    }
  });
  EXPECT_TRUE(eventually([&] {
    (void)publisher->wait(milliseconds(5), wake_.fd());
    return peer.is_closed_now();
  }));
  peer.shut();
  sending.join();
}

// Of a server that another machine's user has to trust with nothing but what it tells.
TEST_F(PublisherTest, AServersRecordWithoutEndIsCutOff) {
  support::RawListener listener;
  const int server_port = listener.port();
  const std::string tcp = "tcp://127.0.0.1:" + std::to_string(server_port);
  const std::string path = runtime_dirs().front() + "/access-127.0.0.1-" + std::to_string(server_port);
  std::ofstream(path) << "ssync-access-1 open\n";
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  auto subscriber = Subscriber::connect(context_, {tcp}).value();
  RawZmtp server = listener.accept();
  ASSERT_TRUE(server.send(support::zmtp_greeting() + support::zmtp_ready({{"Socket-Type", "PUB"}})));
  const std::string frame = support::zmtp_frame(std::string(200 * 1024, 'x'), support::More::yes);
  std::thread sending([&] {
    while (server.send(frame)) {
    }
  });
  std::string end;
  EXPECT_TRUE(eventually([&] {
    const auto record = subscriber->receive(milliseconds(5), {});
    if (!record) end = record.error().text();
    return !record;
  }));
  EXPECT_NE(end.find("without an end"), std::string::npos) << end;
  subscriber.reset();
  server.shut();
  sending.join();
  std::filesystem::remove(path);
}

TEST_F(PublisherTest, OverTcpItIsForThoseWhoFindItsSecret) {
  const std::string tcp = tcp_endpoint();
  auto publisher = TapSocket::bind(context_, *admission_, {tcp}).value();
  RawZmtp stranger = RawZmtp::connect(port_of_endpoint(tcp));
  stranger.send(support::zmtp_greeting() + support::zmtp_ready({{"Socket-Type", "SUB"}}));
  EXPECT_TRUE(stranger.is_closed_by_peer());
  auto subscriber = Subscriber::connect(context_, {tcp}).value();
  ASSERT_TRUE(has_subscribers(*publisher));
  ASSERT_TRUE(publisher->publish("sync", bytes("heard")));
  EXPECT_EQ(text(*subscriber->receive(std::chrono::seconds(20), {}).value()), "heard");
  publisher.reset();
  const auto gone = Subscriber::connect(context_, {tcp});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::refused);
}

// Who is in the handshake when others come makes room for them.
TEST_F(PublisherTest, ConnectionsWithoutEndLeaveRoomForWhoWantsToListen) {
  const std::string tcp = tcp_endpoint();
  auto publisher = TapSocket::bind(context_, *admission_, {.endpoint = tcp, .connections_max = 8}).value();
  std::vector<RawZmtp> silent;
  for (int i = 0; i < 10; ++i) {  // a few more, and the kernel would let nobody in for a while
    silent.push_back(RawZmtp::connect(port_of_endpoint(tcp)));
    (void)publisher->wait(milliseconds(1), wake_.fd());
  }
  auto subscriber = Subscriber::connect(context_, {tcp}).value();
  EXPECT_TRUE(has_subscribers(*publisher));
  EXPECT_TRUE(silent.front().is_closed_by_peer());
}

class KeysPublisherTest : public PublisherTest {
 protected:
  void SetUp() override {
    PublisherTest::SetUp();
    publisher_ = TapSocket::bind(context_, *admission_,
                                 {.endpoint = tcp_, .own_key = giving(server_key_), .require_keys = true})
                     .value();
  }
  static OwnKey giving(std::shared_ptr<const KeyPair> pair) {
    return [pair = std::move(pair)]() -> Result<std::shared_ptr<const KeyPair>> { return pair; };
  }
  std::unique_ptr<Subscriber> subscriber() {
    return Subscriber::connect(
               context_,
               {.endpoint = tcp_,
                .server_key =
                    [this](const auto&) { return Result<std::optional<PublicKey>>(server_key_->public_key); },
                .own_key = giving(key_)})
        .value();
  }
  /// What the subscriber ends with; empty: it hears what is published.
  std::string outcome(Subscriber& subscriber) {
    for (int i = 0; i < 2000; ++i) {
      (void)publisher_->wait(milliseconds(5), wake_.fd());
      EXPECT_TRUE(publisher_->publish("sync", bytes("heard")));
      const auto record = subscriber.receive(milliseconds(5), {});
      if (!record) return record.error().text();
      if (*record) return {};
    }
    return "nothing";
  }

  const std::string tcp_ = tcp_endpoint();
  const std::shared_ptr<const KeyPair> server_key_ = std::make_shared<const KeyPair>(KeyPair::random());
  const std::shared_ptr<const KeyPair> key_ = std::make_shared<const KeyPair>(KeyPair::random());
  std::unique_ptr<TapSocket> publisher_;
};

TEST_F(KeysPublisherTest, TheRightToMonitorIsNeeded) {
  admission_->set_keys({{key_->public_key}});
  EXPECT_NE(outcome(*subscriber()).find("does not let it monitor"), std::string::npos);
  admission_->set_keys({{key_->public_key, true}});
  EXPECT_EQ(outcome(*subscriber()), "");
}

TEST_F(KeysPublisherTest, WhoLosesTheRightHearsNothingMore) {
  admission_->set_keys({{key_->public_key, true}});
  auto listening = subscriber();
  ASSERT_EQ(outcome(*listening), "");
  admission_->set_keys({{key_->public_key, true}, {server_key_->public_key, true}});
  ASSERT_EQ(outcome(*listening), "") << "another's right is no matter of his";
  admission_->set_keys({});
  ASSERT_TRUE(eventually([&] { return !publisher_->wait(milliseconds(5), wake_.fd()).value(); }));
  std::string end;
  EXPECT_TRUE(eventually([&] {
    (void)publisher_->wait(milliseconds(5), wake_.fd());
    const auto record = listening->receive(milliseconds(5), {});
    if (!record) end = record.error().text();
    return !record;
  }));
  EXPECT_NE(end.find("does not know the key"), std::string::npos) << end;
}

TEST_F(KeysPublisherTest, ARightThatEndsWithItsTimeIsLostToo) {
  using std::chrono::system_clock;
  admission_->set_keys({{key_->public_key, true, system_clock::now() + milliseconds(1500)}});
  auto listening = subscriber();
  ASSERT_EQ(outcome(*listening), "");
  EXPECT_TRUE(eventually([&] { return !publisher_->wait(milliseconds(5), wake_.fd()).value(); }));
}

TEST_F(KeysPublisherTest, OnAnotherMachineTheServersKeyMustBeKnown) {
  const auto unknown =
      Subscriber::connect(context_, {.endpoint = "tcp://192.0.2.1:7", .own_key = giving(key_)});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().text().find("its server is not known here"), std::string::npos)
      << unknown.error().text();
}

TEST_F(PublisherTest, DoesNotUseADirectoryThatOthersMayEnter) {
  ASSERT_EQ(::mkdir((directory_ + "/private").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((directory_ + "/private").c_str(), 0755), 0);
  expect_not_bound(endpoint(), Errc::refused, "others may use it (mode 0755)");
}

TEST_F(PublisherTest, DoesNotFollowALinkToADirectory) {
  ASSERT_EQ(::symlink("/tmp", (directory_ + "/private").c_str()), 0);
  expect_not_bound(endpoint(), Errc::refused, "it is not a directory");
}

TEST_F(PublisherTest, DoesNotUseADirectoryOfAnotherUser) {
  ASSERT_EQ(::mkdir((directory_ + "/private").c_str(), 0700), 0);
  if (::chown((directory_ + "/private").c_str(), 12345, 12345) != 0)
    GTEST_SKIP() << "only root can give files away";
  expect_not_bound(endpoint(), Errc::refused, "it belongs to user 12345");
}

TEST_F(PublisherTest, RefusesEndpointsThatItShouldNotServe) {
  expect_not_bound("ipc://" + directory_ + "/" + std::string(120, 'x'), Errc::too_long,
                   "a socket's may have 107");
  expect_not_bound("ipc://relative", Errc::invalid_argument, "must be absolute");
  expect_not_bound("pgm://eth0;239.0.0.1:5555", Errc::invalid_argument, "must start with ipc:// or tcp://");
  expect_not_bound("tcp://0.0.0.0:5555", Errc::invalid_argument, "needs a key");
  expect_not_bound("tcp://127.0.0.1", Errc::invalid_argument, "an address and a port");
  expect_not_bound("", Errc::invalid_argument, "must start with");
}

}  // namespace
}  // namespace ssync::net
