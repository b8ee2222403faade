// Servers that speak the protocol and mean harm: they ask for what was never listed, or without end. The
// client reads nothing outside its source, sends nothing that it did not list, and ends.
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "harness.h"
#include "scripted_server.h"

namespace ssync::hostile {
namespace {

using namespace integration;

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

TEST_F(HostileServerTest, ADirectoryHasNoDigest) {
  EXPECT_EQ(answer(wire::DigestRequest{1, {{"", "", 0, true}}}), 12) << error_;
}

TEST_F(HostileServerTest, DirectoriesThatWereNotListedHaveNoRows) {
  EXPECT_EQ(answer(wire::ListRequest{1, {{"etc", 5}}}), 12) << error_;
}

// Each reply is numbered, so none can come twice.
TEST_F(HostileServerTest, OnePlanIsEnough) {
  EXPECT_EQ(answer(wire::Plan{1, {}, Guard::none, 0}), 12) << error_;
}

// What was a directory when it was listed is a link when it is read.
TEST_F(HostileServerTest, WhatIsBehindALinkIsNotRead) {
  const stdfs::path outside = bench_.path("outside");
  stdfs::create_directories(outside);
  write_file(outside / "file", "secret");
  stdfs::create_directories(bench_.source() / "d");
  write_file(bench_.source() / "d" / "file", "public");
  Process client = start_client();
  std::optional<RowId> row;
  bool asked = false;
  (void)server_.serve(client, [&](const wire::RequestBody& body) -> std::optional<wire::ReplyBody> {
    if (std::holds_alternative<wire::Hello>(body)) return ScriptedServer::welcome();
    if (const auto* list = std::get_if<wire::FileList>(&body)) {
      for (const Row& one : list->batch.rows)
        if (one.name == "file") row = one.id;
      if (list->batch.last) {
        stdfs::remove_all(bench_.source() / "d");
        stdfs::create_directory_symlink(outside, bench_.source() / "d");
      }
      return wire::FileListOk{list->number};
    }
    if (!std::holds_alternative<wire::Next>(body)) {
      if (std::holds_alternative<wire::Fail>(body)) asked = true;
      return wire::Ok{};
    }
    if (asked) return wire::ErrorReply{wire::ErrorCode::refused, false, "enough"};
    if (!row) return wire::Wait{};
    return wire::FileRequest{1, {{"d", "file", std::nullopt, *std::exchange(row, std::nullopt)}}};
  });
  EXPECT_TRUE(asked) << "it says that it cannot";
  EXPECT_EQ(server_.content().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace ssync::hostile
