// Peers that speak the protocol and mean harm: a server that asks for what was never listed, clients that
// send what nobody asked for.
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "ssync/net/transport.h"
#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"

#include "harness.h"

namespace ssync::integration {
namespace {

using Clock = std::chrono::steady_clock;

/// A server that answers as it is told, until the client is gone.
class ScriptedServer {
 public:
  ScriptedServer() {
    net::ServerTransport::Options options;
    options.control_port = 0;
    options.data_port = 0;
    transport_ = net::ServerTransport::bind(context_, *admission_, options, nullptr).value();
  }
  /// Runs a client against it; `answer` gives the reply to each request, or none.
  int serve(Process& client,
            const std::function<std::optional<wire::ReplyBody>(const wire::RequestBody&)>& answer) {
    const auto until = Clock::now() + std::chrono::seconds(30);
    while (client.running() && Clock::now() < until) {
      (void)transport_->wait(std::chrono::milliseconds(10), {}, true);
      while (auto message = transport_->receive_control().value()) {
        const auto request = wire::decode_request(std::move(message->frames));
        if (!request) continue;
        seen_.emplace_back(wire::name_of(request->body));
        if (auto reply = answer(request->body)) {
          (void)transport_->send_control(message->peer,
                                         wire::encode(wire::Reply{request->seq, *std::move(reply)}));
        }
      }
      while (auto message = transport_->receive_data().value()) {
        const auto head = wire::decode_data(message->head.bytes(), message->payload.bytes().size());
        if (head && head->type == wire::DataType::data) ++data_messages_;
        wire::DataHead credit;
        credit.type = wire::DataType::credit;
        credit.tag = 7;
        credit.offset = wire::kWindowBytes;
        if (head && head->type == wire::DataType::attach)
          (void)transport_->send_data(message->peer, wire::encode(credit), Buffer());
      }
    }
    return client.wait(std::chrono::seconds(10)).value_or(-1);
  }
  static wire::Welcome welcome() {
    wire::Welcome body;
    body.session[0] = std::byte{1};
    body.tag = 7;
    body.program = "scripted";
    body.rows_max = wire::kRowsMax;
    body.body_bytes_max = wire::kBodyBytesMax;
    body.list_window = wire::kListWindow;
    body.chunk_bytes_max = wire::kChunkBytesMax;
    body.heartbeat_ms = 2000;
    body.idle_ms = 15000;
    return body;
  }
  [[nodiscard]] net::ServerTransport& transport() { return *transport_; }
  [[nodiscard]] int data_messages() const { return data_messages_; }

 private:
  net::Context context_;
  std::unique_ptr<net::Admission> admission_ = net::Admission::start(context_).value();
  std::unique_ptr<net::ServerTransport> transport_;
  std::vector<std::string> seen_;
  int data_messages_ = 0;
};

class HostileServerTest : public ::testing::Test {
 protected:
  /// The exit code of a client whose first `next` after the list is answered with this request.
  int ask(const wire::RequestRow& row) { return answer(wire::FileRequest{1, {row}}); }
  int answer(const wire::ReplyBody& reply) {
    write_file(bench_.source() / "listed", "content");
    Process client = start_client();
    bool listed = false;
    const int code =
        server_.serve(client, [&](const wire::RequestBody& body) -> std::optional<wire::ReplyBody> {
          if (std::holds_alternative<wire::Hello>(body)) return ScriptedServer::welcome();
          if (const auto* list = std::get_if<wire::FileList>(&body)) {
            listed = listed || list->batch.last;
            return wire::FileListOk{list->number};
          }
          if (!std::holds_alternative<wire::Next>(body)) return wire::Ok{};
          if (!listed) return wire::Wait{};
          return reply;
        });
    error_ = read_file(bench_.path("err"));
    return code;
  }
  Process start_client() {
    return Process(
        {program("client-sync"), bench_.source().string(), "--once", "--state-dir",
         bench_.path("state").string(), "--control-port", std::to_string(server_.transport().control_port()),
         "--data-port", std::to_string(server_.transport().data_port())},
        {bench_.path("out"), bench_.path("err")});
  }
  Bench bench_;
  ScriptedServer server_;
  std::string error_;
};

TEST_F(HostileServerTest, ARowThatWasNeverListedIsNotServed) {
  EXPECT_EQ(ask({"", "listed", std::nullopt, 999}), 12) << error_;
  EXPECT_NE(error_.find("999"), std::string::npos) << error_;
  EXPECT_EQ(server_.data_messages(), 0);
}

TEST_F(HostileServerTest, AnotherNameThanTheRowsIsNotServed) {
  EXPECT_EQ(ask({"etc", "passwd", std::nullopt, 1}), 12) << error_;
  EXPECT_EQ(server_.data_messages(), 0);
}

TEST_F(HostileServerTest, ADirectoryIsNotServed) {
  EXPECT_EQ(ask({"", "", std::nullopt, 0}), 12) << error_;
  EXPECT_EQ(server_.data_messages(), 0);
}

// What a server asks for is kept until it is answered: asked for without end, it would fill the client's
// memory.
TEST_F(HostileServerTest, OneFileIsSentOnce) {
  const wire::RequestRow row{"", "listed", std::nullopt, 1};
  EXPECT_EQ(answer(wire::FileRequest{1, {row, row}}), 12) << error_;
  EXPECT_NE(error_.find("again and again"), std::string::npos) << error_;
}

TEST_F(HostileServerTest, OneFileIsNotAskedAboutWithoutEnd) {
  const wire::DigestQuery query{"", "listed", 1, true};
  EXPECT_EQ(answer(wire::DigestRequest{1, {query, query, query}}), 12) << error_;
  EXPECT_NE(error_.find("again and again"), std::string::npos) << error_;
}

// A server may ask for what is listed so far; here it takes no more of the list than its first message.
TEST_F(HostileServerTest, AFileIsSentWhileTheListIsNotComplete) {
  write_file(bench_.source() / "!first", "content");
  const std::string padding(230, 'x');
  for (int i = 0; i < 14'000; ++i)
    stdfs::create_symlink("nowhere", bench_.source() / (padding + std::to_string(i)));
  Process client = start_client();
  int lists = 0;
  bool complete = false, requested = false;
  const int code =
      server_.serve(client, [&](const wire::RequestBody& body) -> std::optional<wire::ReplyBody> {
        if (std::holds_alternative<wire::Hello>(body)) {
          wire::Welcome welcome = ScriptedServer::welcome();
          welcome.list_window = 1;
          return welcome;
        }
        if (const auto* list = std::get_if<wire::FileList>(&body)) {
          ++lists;
          complete = complete || list->batch.last;
          return std::nullopt;
        }
        if (!std::holds_alternative<wire::Next>(body)) return wire::Ok{};
        if (lists == 0) return wire::Wait{};
        if (!std::exchange(requested, true)) return wire::FileRequest{1, {{"", "!first", std::nullopt, 1}}};
        if (server_.data_messages() == 0) return wire::Wait{};
        return wire::ErrorReply{wire::ErrorCode::refused, false, "enough"};
      });
  EXPECT_EQ(server_.data_messages(), 1) << read_file(bench_.path("err"));
  EXPECT_EQ(lists, 1);
  EXPECT_FALSE(complete);
  EXPECT_EQ(code, 5) << read_file(bench_.path("err"));
}

/// A client that has said hello and may do as it likes.
class ScriptedClient {
 public:
  ScriptedClient(net::Context& context, const Bench& bench) {
    net::ClientTransport::Options options;
    options.control_port = bench.control_port();
    options.data_port = bench.data_port();
    transport_ = net::ClientTransport::connect(context, options, nullptr).value();
    while (!transport_->connected())
      (void)transport_->wait(std::chrono::milliseconds(20), {});
  }
  /// The reply to a request, or nullopt when none came or the connection broke.
  std::optional<wire::ReplyBody> ask(wire::RequestBody body) {
    const wire::Request request{++seq_, session_, std::move(body)};
    if (!transport_->send_control(wire::encode(request))) return std::nullopt;
    return receive();
  }
  std::optional<wire::ReplyBody> receive() {
    const auto until = Clock::now() + std::chrono::seconds(5);
    while (Clock::now() < until) {
      const auto ready = transport_->wait(std::chrono::milliseconds(20), {});
      auto frames = transport_->receive_control();
      if (frames && *frames) {
        auto reply = wire::decode_reply(std::move(**frames));
        if (reply) return std::move(reply->body);
      }
      if (ready && ready->disconnected) return std::nullopt;
    }
    return std::nullopt;
  }
  void greet() {
    wire::Hello hello;
    hello.client[0] = std::byte{9};
    hello.program = "scripted";
    hello.source_id = "scripted";
    hello.ancestry = {{1, 1}};
    hello.options.delete_extra = false;
    const auto reply = ask(hello);
    ASSERT_TRUE(reply && std::holds_alternative<wire::Welcome>(*reply));
    session_ = std::get<wire::Welcome>(*reply).session;
    tag_ = std::get<wire::Welcome>(*reply).tag;
    wire::DataHead attach;
    attach.type = wire::DataType::attach;
    attach.tag = tag_;
    send_data(attach, Buffer::copy_of(session_));
  }
  void send_data(const wire::DataHead& head, Buffer payload) {
    Buffer bytes = wire::encode(head);
    (void)transport_->send_data(bytes, payload);
  }
  /// True when the server breaks the connection.
  bool is_thrown_out() {
    const auto until = Clock::now() + std::chrono::seconds(5);
    while (Clock::now() < until) {
      const auto ready = transport_->wait(std::chrono::milliseconds(20), {});
      if (!ready || ready->disconnected) return true;
      (void)transport_->receive_control();
      (void)transport_->receive_data();
    }
    return false;
  }
  [[nodiscard]] std::uint64_t tag() const { return tag_; }
  [[nodiscard]] net::ClientTransport& transport() { return *transport_; }

 private:
  std::unique_ptr<net::ClientTransport> transport_;
  std::uint32_t seq_ = 0;
  wire::SessionId session_{};
  std::uint64_t tag_ = 0;
};

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

wire::FileList list_of(const std::vector<std::pair<std::string, std::string>>& paths) {
  wire::FileList list;
  list.batch.last = true;
  Row root;
  root.id = 0;
  root.values.kind = Kind::directory;
  list.batch.rows.push_back(root);
  for (const auto& [location, name] : paths) {
    Row row;
    row.location = location;
    row.name = name;
    row.id = list.batch.rows.size();
    row.values.size = 5;
    list.batch.rows.push_back(row);
  }
  return list;
}

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

}  // namespace
}  // namespace ssync::integration
