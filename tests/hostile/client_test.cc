// Clients that speak the protocol and mean harm: the mirror stays as it was, and others are served.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ssync/content/content.h"
#include "ssync/net/keys.h"
#include "ssync/wire/limits.h"

#include "harness.h"
#include "scripted_client.h"

namespace ssync::hostile {
namespace {

using namespace integration;

class HostileClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(bench_.source() / "file", "content");
    bench_.start_server({"--take-over"});
    bench_.expect_sync();
  }
  void TearDown() override {
    EXPECT_EQ(read_file(bench_.mirror() / "file"), "content");  // the mirror is as it was
    EXPECT_FALSE(stdfs::exists(bench_.mirror() / "wanted"));
    write_file(bench_.source() / "another", "content");
    bench_.expect_sync();  // and others are served
  }
  Bench bench_;
  net::Context context_;
};

TEST_F(HostileClientTest, DataThatNobodyAskedForEndsTheSession) {
  ScriptedClient client(context_, bench_);
  client.greet();
  wire::DataHead head;
  head.tag = client.tag();
  head.segments = {wire::Segment{1, 0, 4, false, true, {}}};
  client.send_data(head, Buffer::copy_of(std::as_bytes(std::span("evil", 4))));
  EXPECT_TRUE(client.is_thrown_out());
}

TEST_F(HostileClientTest, ASegmentOfAnotherRowThanTheRequestedEndsTheSession) {
  ScriptedClient client(context_, bench_);
  client.greet();
  ASSERT_TRUE(client.ask(list_of({{"", "wanted"}})));
  std::optional<wire::ReplyBody> reply;
  std::uint64_t ack = 0;
  do {  // plan, acknowledged, then the request
    reply = client.ask(wire::Next{ack});
    if (reply && std::holds_alternative<wire::Plan>(*reply)) ack = std::get<wire::Plan>(*reply).number;
  } while (reply && !std::holds_alternative<wire::FileRequest>(*reply));
  ASSERT_TRUE(reply);
  wire::DataHead head;
  head.tag = client.tag();
  head.segments = {wire::Segment{77, 0, 4, false, true, {}}};
  client.send_data(head, Buffer::copy_of(std::as_bytes(std::span("evil", 4))));
  EXPECT_TRUE(client.is_thrown_out());
}

// What a scripted client is asked for before its list has ended.
class UnfinishedListTest : public ::testing::Test {
 protected:
  /// The names that are requested while the server waits for more rows.
  std::vector<std::string> requested() {
    bench_.start_server({"--take-over"});
    ScriptedClient client(context_, bench_);
    client.greet();
    // Its rows are views.
    const std::vector<std::pair<std::string, std::string>> paths = {
        {"", "a"}, {"", "b"}, {"a", "one"}, {"a", "two"}, {"b", "three"}};
    wire::FileList list = list_of(paths);
    list.batch.last = false;
    for (const std::size_t directory : {1U, 2U}) {
      list.batch.rows[directory].values.kind = Kind::directory;
      list.batch.rows[directory].values.size = 0;
    }
    (void)client.ask(std::move(list));
    std::vector<std::string> names;
    std::uint64_t ack = 0;
    for (;;) {
      const auto reply = client.ask(wire::Next{ack});
      const auto* files = reply ? std::get_if<wire::FileRequest>(&*reply) : nullptr;
      if (files == nullptr) {
        EXPECT_TRUE(reply && std::holds_alternative<wire::Wait>(*reply)) << bench_.server().err();
        return names;
      }
      ack = files->number;
      for (const wire::RequestRow& row : files->rows)
        names.push_back(std::string(row.location) + "/" + std::string(row.name));
    }
  }
  Bench bench_;
  net::Context context_;
};

TEST_F(UnfinishedListTest, AnEmptyMirrorAsksForDirectoriesThatAreComplete) {
  EXPECT_EQ(requested(), (std::vector<std::string>{"a/one", "a/two"}));
  EXPECT_TRUE(stdfs::is_directory(bench_.mirror() / "b"));
}

TEST_F(UnfinishedListTest, AMirrorThatHoldsSomethingStaysAsItIs) {
  stdfs::create_directories(bench_.mirror());
  write_file(bench_.mirror() / "zz", "old");
  EXPECT_EQ(requested(), std::vector<std::string>());
  EXPECT_FALSE(stdfs::exists(bench_.mirror() / "a"));
}

TEST_F(HostileClientTest, RequestsWithoutASessionAreRefused) {
  ScriptedClient client(context_, bench_);
  const auto reply = client.ask(wire::Next{0});
  ASSERT_TRUE(reply && std::holds_alternative<wire::ErrorReply>(*reply));
  EXPECT_EQ(std::get<wire::ErrorReply>(*reply).code, wire::ErrorCode::session);
}

TEST_F(HostileClientTest, ARowInsideAFileIsRefused) {
  ScriptedClient client(context_, bench_);
  client.greet();
  (void)client.ask(list_of({{"", "a"}, {"a", "b"}}));
  const auto reply = client.ask(wire::Next{0});
  ASSERT_TRUE(reply && std::holds_alternative<wire::ErrorReply>(*reply));
  EXPECT_EQ(std::get<wire::ErrorReply>(*reply).code, wire::ErrorCode::protocol);
}

TEST_F(HostileClientTest, GarbageInWellFormedMessagesIsRefused) {
  ScriptedClient client(context_, bench_);
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = random_bytes(static_cast<std::uint64_t>(i), 200);
    wire::Frames frames;
    frames.head = Buffer::copy_of(std::as_bytes(std::span(bytes)));
    if (!client.transport().send_control(std::move(frames))) break;
  }
  const auto reply = client.receive();
  ASSERT_TRUE(reply && std::holds_alternative<wire::ErrorReply>(*reply));
  EXPECT_TRUE(client.is_thrown_out());
}

struct Path {
  const char* name;
  std::string location, entry;
};
void PrintTo(const Path& path, std::ostream* out) {
  *out << path.name;
}

class HostilePathTest : public HostileClientTest, public ::testing::WithParamInterface<Path> {};

TEST_P(HostilePathTest, IsRefusedAndNothingIsMade) {
  const stdfs::path outside = bench_.path("outside");
  stdfs::create_directory(outside);
  stdfs::create_symlink(outside, bench_.mirror() / "link");
  {
    ScriptedClient client(context_, bench_);
    client.greet();
    const std::vector<std::pair<std::string, std::string>> paths{{GetParam().location, GetParam().entry}};
    const auto reply = client.ask(list_of(paths));
    if (reply && !std::holds_alternative<wire::ErrorReply>(*reply)) {
      EXPECT_FALSE(client.next_of<wire::FileRequest>()) << "the server asks for it";
    }
  }
  EXPECT_TRUE(stdfs::is_empty(outside));
  EXPECT_FALSE(stdfs::exists(bench_.path("file2")));
  stdfs::remove(bench_.mirror() / "link");
}

INSTANTIATE_TEST_SUITE_P(
    Paths, HostilePathTest,
    ::testing::Values(Path{"Parent", "", ".."}, Path{"ParentsName", "..", "file2"},
                      Path{"BelowTheParent", "a/../..", "file2"}, Path{"Itself", "", "."},
                      Path{"Absolute", "/tmp", "file2"}, Path{"Slash", "", "a/b"},
                      Path{"SlashAtEnd", "a/", "b"}, Path{"TwoSlashes", "a//b", "c"},
                      Path{"Nul", "", std::string("a\0b", 3)}, Path{"Empty", "a", ""},
                      Path{"TooLong", "", std::string(256, 'n')}, Path{"ThroughALink", "link", "file2"},
                      Path{"Staging", "", ".server-sync.0123456789abcdef0123456789abcdef"},
                      Path{"InStaging", ".server-sync.0123456789abcdef0123456789abcdef", "file2"}),
    [](const auto& param) { return std::string(param.param.name); });

class HostileContentTest : public HostileClientTest {
 protected:
  /// One that was asked for the file `wanted`, of 5 bytes.
  ScriptedClient& asked() {
    client_.emplace(context_, bench_);
    client_->greet();
    EXPECT_TRUE(client_->send(list_of(paths_)));
    EXPECT_TRUE(client_->receive());
    EXPECT_TRUE(client_->next_of<wire::FileRequest>());
    return *client_;
  }
  void TearDown() override {
    client_.reset();
    HostileClientTest::TearDown();
  }
  static wire::Segment segment(std::uint64_t offset, std::size_t length, bool last = false) {
    wire::Segment out{1, offset, static_cast<std::uint32_t>(length), false, last, {}};
    if (last) out.ending.size = offset + length;
    return out;
  }
  const std::vector<std::pair<std::string, std::string>> paths_{{"", "wanted"}};
  std::optional<ScriptedClient> client_;
};

TEST_F(HostileContentTest, AnotherChecksumThanThatOfTheContentIsAProblem) {
  ScriptedClient& client = asked();
  ASSERT_TRUE(client.send_segments({segment(0, 5, true)}, "evil!"));
  const auto problems = client.next_of<wire::Problems>();
  ASSERT_TRUE(problems);
  EXPECT_EQ(problems->rows.front().name, "wanted");
}

TEST_F(HostileContentTest, PiecesThatOverlapEndTheSession) {
  ScriptedClient& client = asked();
  ASSERT_TRUE(client.send_segments({segment(0, 3)}, "abc"));
  ASSERT_TRUE(client.send_segments({segment(2, 3, true)}, "cde"));
  EXPECT_EQ(client.ending(), wire::ErrorCode::protocol);
}

TEST_F(HostileContentTest, PiecesAfterTheLastEndTheSession) {
  ScriptedClient& client = asked();
  wire::Segment last = segment(0, 5, true);
  last.ending.checksum = content::checksum_of(std::as_bytes(std::span("good!", 5)));
  ASSERT_TRUE(client.send_segments({last}, "good!"));
  ASSERT_TRUE(client.send_segments({segment(5, 1)}, "x"));
  EXPECT_EQ(client.ending(), wire::ErrorCode::protocol);
  stdfs::remove(bench_.mirror() / "wanted");  // what came before was good
}

TEST_F(HostileContentTest, AnEndBeforeTheContentEndsTheSession) {
  ScriptedClient& client = asked();
  wire::Segment last = segment(0, 5, true);
  last.ending.size = 2;
  ASSERT_TRUE(client.send_segments({last}, "evil!"));
  EXPECT_TRUE(client.is_thrown_out());
}

// What is not there has to be hashed all the same, for years; but nobody else waits for it (TearDown()).
TEST_F(HostileContentTest, TheLargestHoleThereIsHoldsUpNobodyElse) {
  ScriptedClient& client = asked();
  wire::Segment last = segment(0, 1, true);
  last.offset = (std::uint64_t{1} << 62U);
  last.ending.size = last.offset + 1;
  ASSERT_TRUE(client.send_segments({last}, "x"));
  (void)client.next();
}

// What was charged so far is what credit is measured by.
TEST_F(HostileContentTest, AWrongSumOfWhatWasSentEndsTheSession) {
  ScriptedClient& client = asked();
  ASSERT_TRUE(client.send_segments({segment(0, 3)}, "abc"));
  wire::DataHead head;
  head.tag = client.tag();
  head.number = 1;
  head.segments = {segment(3, 2, true)};
  client.send_data(head, Buffer::copy_of(std::as_bytes(std::span("de", 2))));
  EXPECT_TRUE(client.ending());
}

// Where the server keeps what it knows, if that is inside the mirror.
TEST(HostileStateTest, TheServersOwnFilesAreNoPartOfTheMirror) {
  Bench bench;
  net::Context context;
  write_file(bench.source() / "file", "content");
  const stdfs::path state = bench.mirror() / "state";
  bench.start_server();  // for its ports
  ASSERT_EQ(bench.stop_server(), 20);
  Process server({program("server-sync"), bench.mirror().string(), "--take-over", "--state-dir",
                  state.string(), "--control-port", std::to_string(bench.control_port()), "--data-port",
                  std::to_string(bench.data_port())},
                 {bench.path("out"), bench.path("err")});
  Finished synced;
  ASSERT_TRUE(eventually([&] {
    synced = bench.sync();
    return synced.code == 0;
  })) << synced.out
      << synced.err;
  ASSERT_FALSE(stdfs::is_empty(state));
  ScriptedClient client(context, bench);
  client.greet();
  const std::vector<std::pair<std::string, std::string>> paths{
      {"", "file"}, {"", "state"}, {"state", "evil"}};
  wire::FileList list = list_of(paths);
  list.batch.rows[2].values = list.batch.rows[0].values;  // a directory
  (void)client.ask(std::move(list));
  for (int i = 0; i < 20; ++i) {
    const auto reply = client.next();
    if (!reply || std::holds_alternative<wire::ErrorReply>(*reply)) break;
    if (std::holds_alternative<wire::Wait>(*reply)) break;
    if (const auto* files = std::get_if<wire::FileRequest>(&*reply)) {
      for (const wire::RequestRow& row : files->rows)
        EXPECT_NE(row.name, "evil");
    }
  }
  EXPECT_FALSE(stdfs::exists(state / "evil"));
}

TEST_F(HostileClientTest, AnotherConnectionsSessionIsNotHis) {
  ScriptedClient owner(context_, bench_);
  owner.greet();
  ScriptedClient thief(context_, bench_);
  thief.set_session(owner.session());
  (void)thief.ask(wire::Bye{0, ""});
  EXPECT_TRUE(owner.next()) << "whose it is goes on";
  ScriptedClient second(context_, bench_);
  second.set_session(owner.session());
  EXPECT_FALSE(second.next_of<wire::Plan>());
  ASSERT_TRUE(second.error());
  EXPECT_EQ(second.error()->code, wire::ErrorCode::session);
  EXPECT_TRUE(owner.next());
}

TEST_F(HostileClientTest, RowsOutOfOrderAreRefused) {
  const std::vector<std::pair<std::string, std::string>> paths{{"", "b"}, {"", "a"}};
  ScriptedClient client(context_, bench_);
  client.greet();
  (void)client.ask(list_of(paths));
  EXPECT_EQ(client.ending(), wire::ErrorCode::protocol);
}

TEST_F(HostileClientTest, ARowTwiceIsRefused) {
  const std::vector<std::pair<std::string, std::string>> paths{{"", "a"}, {"", "a"}};
  ScriptedClient client(context_, bench_);
  client.greet();
  (void)client.ask(list_of(paths));
  EXPECT_EQ(client.ending(), wire::ErrorCode::protocol);
}

class HostileKeyTest : public ::testing::Test {
 protected:
  void start(const std::string& rights) {
    stdfs::create_directories(keys_ / "clients.d");
    stdfs::permissions(keys_, stdfs::perms::owner_all);
    stdfs::permissions(keys_ / "clients.d", stdfs::perms::owner_all);
    write_file(keys_ / "clients.d" / "liar.toml",
               "key = \"" + net::text_of(own_->public_key) + "\"\nrights = \"" + rights + "\"\n");
    stdfs::permissions(keys_ / "clients.d" / "liar.toml", stdfs::perms::owner_read);
    const Finished shown = run({program("server-sync"), "--show-key", "--keys-dir", keys_.string()});
    server_key_ = net::parse_public_key(shown.out.substr(0, 64)).value();
    bench_.start_server({"--require-keys", "--keys-dir", keys_.string()});
  }
  ScriptedClient connected() { return {context_, bench_, {server_key_, own_}}; }

  Bench bench_;
  const stdfs::path keys_ = bench_.path("keys");
  net::Context context_;
  const std::shared_ptr<const net::KeyPair> own_ =
      std::make_shared<const net::KeyPair>(net::KeyPair::random());
  net::PublicKey server_key_;
};

TEST_F(HostileKeyTest, AListWithoutEndIsCutOffAtTheQuota) {
  start("push,max-entries=100000");
  ScriptedClient client = connected();
  client.greet();
  std::vector<std::pair<std::string, std::string>> paths;
  std::size_t listed = 0;
  for (std::uint64_t number = 0; number < 2500 && !client.error(); ++number) {  // 10 million rows
    paths.clear();
    for (std::size_t i = 0; i < 4000; ++i)
      paths.emplace_back("", fmt::format("{:012}", listed + i));
    wire::FileList list = list_of(paths);
    if (number > 0) list.batch.rows.erase(list.batch.rows.begin());
    for (Row& row : list.batch.rows)
      row.id += listed;
    listed += paths.size();
    list.number = number;
    list.batch.last = false;
    const auto reply = client.ask(std::move(list));
    if (!reply) break;
  }
  EXPECT_EQ(client.ending(), wire::ErrorCode::rights);
  EXPECT_LT(listed, 300'000U);
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
}

TEST_F(HostileKeyTest, AFileThatGrowsWithoutEndIsCutOffAtTheQuota) {
  start("push,max-bytes=10M");
  ScriptedClient client = connected();
  client.greet();
  const std::vector<std::pair<std::string, std::string>> paths{{"", "wanted"}};
  (void)client.ask(list_of(paths));
  ASSERT_TRUE(client.next_of<wire::FileRequest>());
  const std::string much(wire::kChunkBytesMax, 'x');
  std::uint64_t offset = 0;
  while (
      client.send_segments({{1, offset, static_cast<std::uint32_t>(much.size()), false, false, {}}}, much)) {
    offset += much.size();
    ASSERT_LT(offset, 100U << 20U);
  }
  EXPECT_LT(offset, 30U << 20U);
  EXPECT_EQ(client.ending(), wire::ErrorCode::rights);
  EXPECT_NE(client.error().value_or(wire::ErrorReply()).text.find("max-bytes"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return stdfs::is_empty(bench_.mirror()); })) << "with its staging";
}

TEST_F(HostileKeyTest, WhoMayLookChangesNothingWhateverHeSays) {
  start("look");
  ScriptedClient client = connected();
  wire::Hello hello;
  hello.client[0] = std::byte{9};
  hello.program = "scripted";
  hello.source_id = "scripted";
  hello.ancestry = {{1, 1}};
  const auto reply = client.ask(hello);
  ASSERT_TRUE(reply && std::holds_alternative<wire::ErrorReply>(*reply));
  EXPECT_EQ(std::get<wire::ErrorReply>(*reply).code, wire::ErrorCode::rights);
  EXPECT_TRUE(stdfs::is_empty(bench_.mirror()));
}

}  // namespace
}  // namespace ssync::hostile
