#include "ssync/wire/messages.h"

#include <gtest/gtest.h>

#include "ssync/wire/codec.h"

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

using test::bytes16;
using test::msgpack_of;
using test::readable;
using test::same;
using Json = nlohmann::ordered_json;

Frames with_head(const Frames& frames, const std::function<void(Json&)>& change) {
  Json head = readable(frames.head.bytes());
  change(head);
  return {.head = msgpack_of(head), .body = frames.body.share()};
}

TEST(MessagesTest, EverySampleRequestComesBackAsItWas) {
  for (const auto& sample : test::sample_requests()) {
    const auto back = decode_request(encode(sample.message));
    ASSERT_TRUE(back) << sample.name << ": " << back.error().text();
    EXPECT_TRUE(same(*back, sample.message)) << sample.name;
  }
}

TEST(MessagesTest, EverySampleReplyComesBackAsItWas) {
  for (const auto& sample : test::sample_replies()) {
    const auto back = decode_reply(encode(sample.message));
    ASSERT_TRUE(back) << sample.name << ": " << back.error().text();
    EXPECT_TRUE(same(*back, sample.message)) << sample.name;
  }
}

TEST(MessagesTest, NamesAreThoseOfTheWire) {
  EXPECT_STREQ(name_of(RequestBody(Hello())), "hello");
  EXPECT_STREQ(name_of(RequestBody(Bye())), "bye");
  EXPECT_STREQ(name_of(ReplyBody(FileListOk())), "filelist:ok");
  EXPECT_STREQ(name_of(ReplyBody(SyncDone())), "sync:done");
  EXPECT_STREQ(name_of(ReplyBody(ErrorReply())), "error");
  EXPECT_STREQ(name_of(ErrorCode::no_space), "no_space");
}

TEST(MessagesTest, RowsAreCounted) {
  FileList list;
  list.batch.rows.resize(3);
  EXPECT_EQ(rows_in(RequestBody(std::move(list))), 3U);
  EXPECT_EQ(rows_in(RequestBody(Next())), 0U);
  EXPECT_EQ(rows_in(ReplyBody(FileRequest{.number = 1, .rows = {{}, {}}})), 2U);
}

TEST(MessagesTest, UnknownFieldsAreIgnored) {
  const Request next{.seq = 4, .session = bytes16(1), .body = Next{.ack = 9}};
  const auto back = decode_request(with_head(encode(next), [](Json& head) {
    head["zz"] = {{"nested", {1, 2.5, nullptr}}};
    head["x"] = "hex:00ff";
  }));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(same(*back, next));
}

TEST(MessagesTest, UnknownColumnsAreIgnored) {
  const Reply request{
      .seq = 1,
      .body = FileRequest{.number = 1, .rows = {{.location = "a", .name = "b", .digest = {}, .row = 2}}}};
  Frames frames = encode(request);
  Json rows = readable(frames.body.bytes());
  rows[0].push_back({{"later", {1, {2, {3}}}}});
  rows[0].push_back(3.5);
  frames.body = msgpack_of(rows);
  const auto back = decode_reply(std::move(frames));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(same(*back, request));
}

TEST(MessagesTest, BytesOfTextThatAreNoUtf8AreReplaced) {
  const auto back = decode_request(encode(Request{.seq = 1,
                                                  .session = {},
                                                  .body = Bye{.code = 1,
                                                              .text = "a\xff"
                                                                      "b"}}));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<Bye>(back->body).text, "a?b");
}

TEST(MessagesTest, LongTextIsCutBetweenCharacters) {
  std::string text(kTextBytesMax - 1, 'x');
  text += "\u00e9\u00e9";
  const auto back = decode_reply(
      encode(Reply{.seq = 1, .body = ErrorReply{.code = ErrorCode::io, .retry = false, .text = text}}));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<ErrorReply>(back->body).text, std::string(kTextBytesMax - 1, 'x'));
}

TEST(MessagesTest, TheLongestHelloFits) {
  Hello hello = test::sample_hello();
  hello.source_id.assign(kSourceIdBytesMax, '\xff');
  hello.program.assign(kTextBytesMax, 'p');
  hello.ancestry.assign(kDepthMax, {.device = ~0ULL, .inode = ~0ULL});
  const Request request{.seq = 1, .session = {}, .body = hello};
  const auto back = decode_request(encode(request));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(same(*back, request));
}

TEST(MessagesTest, TheLongestMirrorsFit) {
  Mirrors mirrors{.rows = {}, .more = true};
  for (std::size_t i = 0; i < kMirrorRowsMax; ++i) {
    mirrors.rows.push_back({std::to_string(1000 + i) + std::string(kMirrorNameBytesMax - 4, 'm'),
                            std::string(kTextBytesMax, 'c')});
  }
  const Reply reply{.seq = 1, .body = std::move(mirrors)};
  const auto back = decode_reply(encode(reply));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(same(*back, reply));
}

TEST(MessagesTest, AnEmptyNameIsNotSent) {
  const Frames frames = encode(Request{.seq = 1, .session = {}, .body = test::sample_hello()});
  EXPECT_FALSE(readable(frames.head.bytes()).contains("mirror"));
  const auto back = decode_request(with_head(frames, [](Json& head) { head["mirror"] = ""; }));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(std::get<Hello>(back->body).mirror, "");
}

TEST(MessagesTest, SequenceNumberIsReadEvenIfTheRestIsWrong) {
  const Frames next = encode(Request{.seq = 77, .session = {}, .body = Next{}});
  const auto seq = [&](const std::function<void(Json&)>& change) {
    return seq_of(with_head(next, change).head.bytes());
  };
  EXPECT_EQ(seq([](Json& head) { head["t"] = 5; }), 77U);
  EXPECT_EQ(seq([](Json& head) { head["v"] = 9; }), 77U);
  EXPECT_EQ(seq([](Json& head) { head["!x"] = 9; }), 77U);
  EXPECT_EQ(seq([](Json& head) { head.erase("q"); }), 0U);
  EXPECT_EQ(seq_of({}), 0U);
  EXPECT_EQ(seq_of(test::buffer_of_hex("c0").bytes()), 0U);
}

TEST(MessagesTest, FramesBeyondTheirLimitAreRefusedUnread) {
  Frames large_head{.head = Buffer::allocate(kHeadBytesMax + 1), .body = {}};
  EXPECT_EQ(decode_request(std::move(large_head)).error().code, Errc::limit);
  Frames large_body = encode(Reply{.seq = 1, .body = Changes{.number = 1, .rows = {}}});
  large_body.body = Buffer::allocate(kBodyBytesMax + 1);
  EXPECT_EQ(decode_reply(std::move(large_body)).error().code, Errc::limit);
}

TEST(MessagesTest, ErrorsNameTheMessageTheRowAndTheRule) {
  Reply bad{.seq = 1,
            .body = FileRequest{.number = 1,
                                .rows = {{.location = "a", .name = "b"}, {.location = "a", .name = ".."}}}};
  std::get<FileRequest>(bad.body).rows[0].row = std::get<FileRequest>(bad.body).rows[1].row = 0;
  EXPECT_EQ(decode_reply(encode(bad)).error().message, "filerequest: row 1: name '..' is '..'");
}

TEST(MessagesTest, BodyBytesIsABoundOnARow) {
  const std::string longest(kPathBytesMax, 'x');
  const auto body_size = [](ReplyBody body) {
    return encode(Reply{.seq = 1, .body = std::move(body)}).body.size();
  };
  const RequestRow request{.location = longest, .name = "n", .digest = test::sha256_of(1), .row = kNoRow};
  EXPECT_LE(body_size(FileRequest{.number = 1, .rows = {request}}), body_bytes(request));
  const DigestQuery query{.location = longest, .name = "n", .row = kNoRow, .digest = true};
  EXPECT_LE(body_size(DigestRequest{.number = 1, .rows = {query}}), body_bytes(query));
  const ChangeRow change{.op = Op::copy,
                         .location = longest,
                         .name = "n",
                         .from_location = longest,
                         .from_name = "n",
                         .size = ~0ULL};
  EXPECT_LE(body_size(Changes{.number = 1, .rows = {change}}), body_bytes(change));
  Problems problems{.number = 1, .rows = {}};
  problems.rows.push_back(
      {.location = longest, .name = "n", .text = longest, .sys_errno = -2147483647, .row = 1ULL << 62});
  const std::size_t bound = body_bytes(problems.rows[0]);
  EXPECT_LE(body_size(std::move(problems)), bound);
  EXPECT_LE(body_bytes(change), kRowBytesMax);
}

}  // namespace
}  // namespace ssync::wire
