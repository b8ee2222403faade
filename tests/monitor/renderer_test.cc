#include "ssync/monitor/renderer.h"

#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace ssync::monitor {
namespace {

using wire::Direction;
using wire::TapKind;
using wire::TapRecord;

TapRecord filelist(std::uint64_t number) {
  return {.number = number,
          .time_ns = 1'700'000'000'123'456'789,
          .kind = TapKind::control,
          .direction = Direction::in,
          .peer = 1,
          .peer_address = "127.0.0.1:40312",
          .type = "filelist",
          .seq = 12,
          .bytes = 35123,
          .rows = 4096,
          .summary = "number 3, last",
          .details = {"file a/b.txt 5"}};
}

TapRecord state(std::uint64_t number, std::uint64_t dropped) {
  return {.number = number,
          .time_ns = 1,
          .kind = TapKind::state,
          .direction = Direction::none,
          .type = "state",
          .dropped = dropped};
}

const std::string kLine = "22:13:20.123456 <    1 filelist             12      35123  4096  number 3, last\n";

TEST(RendererTest, PrintsALineAMessage) {
  Renderer renderer({.utc = true});
  EXPECT_EQ(renderer.render(filelist(7)), kLine);
}

TEST(RendererTest, HasAHeadingOverItsColumns) {
  EXPECT_EQ(Renderer({}).heading(),
            "TIME              PEER TYPE                SEQ      BYTES  ROWS  WHAT\n");
  EXPECT_EQ(Renderer({.json = true}).heading(), "");
}

TEST(RendererTest, ShowsRowsWhenVerbose) {
  Renderer renderer({.verbosity = 1, .utc = true});
  EXPECT_EQ(renderer.render(filelist(7)), kLine + "    file a/b.txt 5\n");
}

TEST(RendererTest, PrintsAnObjectALineAsJson) {
  Renderer renderer({.json = true});
  EXPECT_EQ(
      renderer.render(filelist(7)),
      R"({"event":"control","time":"2023-11-14T22:13:20.123456Z","number":7,"direction":"in","peer":1,)"
      R"("address":"127.0.0.1:40312","type":"filelist","seq":12,"bytes":35123,"rows":4096,"summary":"number 3, last"})"
      "\n");
}

TEST(RendererTest, SaysHowManyRecordsAreMissing) {
  Renderer renderer({.utc = true});
  EXPECT_EQ(renderer.render(filelist(7)), kLine) << "the first is where one came in";
  EXPECT_EQ(renderer.render(filelist(8)), kLine);
  EXPECT_EQ(renderer.render(filelist(129)), "-- 120 records missed --\n" + kLine);
  EXPECT_EQ(renderer.render(filelist(131)), "-- 1 record missed --\n" + kLine);
}

TEST(RendererTest, SaysHowManyRecordsTheServerDropped) {
  Renderer renderer({});
  EXPECT_EQ(renderer.render(state(1, 40)), "");
  EXPECT_EQ(renderer.render(state(2, 45)), "-- 5 records dropped by the server --\n");
  EXPECT_EQ(renderer.render(state(3, 45)), "");
}

TEST(RendererTest, NoticesARestart) {
  Renderer renderer({.utc = true});
  EXPECT_EQ(renderer.render(filelist(100)), kLine);
  EXPECT_EQ(renderer.render(state(1, 0)), "-- another server, or the same started again --\n");
  EXPECT_EQ(renderer.render(filelist(2)), kLine);
}

TEST(RendererTest, TellsGapsAsJsonToo) {
  Renderer renderer({.json = true});
  EXPECT_EQ(renderer.render(state(1, 0)), "");
  EXPECT_EQ(renderer.render(state(4, 0)),
            R"({"event":"missed","time":"1970-01-01T00:00:00.000000Z","records":2})"
            "\n");
}

TEST(RendererTest, ShowsStateRecordsOnlyWhenVeryVerbose) {
  EXPECT_EQ(Renderer({.verbosity = 1}).render(state(1, 0)), "");
  EXPECT_EQ(Renderer({.verbosity = 2, .utc = true}).render(state(1, 0)),
            "00:00:00.000000 -    0 state                 0          0     0\n");
}

TEST(RendererTest, ShowsWhereAConnectionComesFrom) {
  TapRecord record{.number = 1,
                   .kind = TapKind::connection,
                   .peer = 3,
                   .peer_address = "127.0.0.1:9",
                   .type = "refused",
                   .summary = "belongs to user 7"};
  EXPECT_EQ(
      Renderer({.utc = true}).render(record),
      "00:00:00.000000 -    3 refused               0          0     0  127.0.0.1:9 belongs to user 7\n");
}

TapRecord of(std::uint64_t number, std::optional<std::string> mirror, std::uint64_t session) {
  TapRecord record = filelist(number);
  record.mirror = std::move(mirror);
  record.session = session;
  return record;
}

std::string line_of(const std::string& whose) {
  std::string line = kLine;
  return line.insert(line.find("number 3"), whose);
}

TEST(RendererTest, SaysTheMirrorAndTheSyncWhenThereAreNames) {
  Renderer renderer({.utc = true});
  EXPECT_EQ(renderer.render(of(1, "", 1)), kLine) << "as far as is known, it is the only mirror";
  EXPECT_EQ(renderer.render(of(2, "photos", 3)), line_of("[photos#3] "));
  EXPECT_EQ(renderer.render(of(3, "photos", 0)), line_of("[photos] "));
  EXPECT_EQ(renderer.render(of(4, "", 4)), line_of("[#4] "));
  EXPECT_EQ(renderer.render(of(5, "", 0)), kLine);
  EXPECT_EQ(renderer.render(of(6, std::nullopt, 0)), kLine);
}

TEST(RendererTest, SaysTheMirrorAndTheSyncInJson) {
  Renderer renderer({.json = true});
  EXPECT_NE(renderer.render(of(1, "photos", 3))
                .find(R"("address":"127.0.0.1:40312","mirror":"photos","session":3,"type":"filelist")"),
            std::string::npos);
  EXPECT_NE(renderer.render(of(2, "", 0)).find(R"("mirror":"","type":)"), std::string::npos);
}

TEST(RendererTest, ShowsOnlyTheMirrorThatWasAskedFor) {
  Renderer renderer({.utc = true, .mirror = "photos"});
  EXPECT_EQ(renderer.render(of(1, "photos", 3)), line_of("[photos#3] "));
  EXPECT_EQ(renderer.render(of(2, "music", 4)), "");
  EXPECT_EQ(renderer.render(of(3, "", 5)), "");
  EXPECT_EQ(renderer.render(of(4, std::nullopt, 0)), "");
  EXPECT_EQ(renderer.render(of(5, "photos", 0)), line_of("[photos] "));
  Renderer without_name({.utc = true, .mirror = ""});
  EXPECT_EQ(without_name.render(of(1, "music", 4)), "");
  EXPECT_EQ(without_name.render(of(2, "", 5)), kLine);
  EXPECT_EQ(without_name.render(of(3, std::nullopt, 0)), "")
      << "of no mirror is not of the one without a name";
}

TEST(RendererTest, ShowsOnlyTheSyncThatWasAskedFor) {
  Renderer renderer({.utc = true, .session = 3});
  EXPECT_EQ(renderer.render(of(1, "", 3)), kLine);
  EXPECT_EQ(renderer.render(of(2, "", 4)), "");
  EXPECT_EQ(renderer.render(of(3, "", 0)), "");
  EXPECT_EQ(renderer.render(of(4, std::nullopt, 0)), "");
}

TEST(RendererTest, MissesNothingOfWhatItDoesNotShow) {
  Renderer renderer({.utc = true, .mirror = "photos"});
  EXPECT_EQ(renderer.render(of(1, "photos", 3)), line_of("[photos#3] "));
  EXPECT_EQ(renderer.render(of(2, "music", 4)), "");
  EXPECT_EQ(renderer.render(of(3, "photos", 3)), line_of("[photos#3] "));
  EXPECT_EQ(renderer.render(of(6, "music", 4)), "-- 2 records missed --\n");
}

TEST(RendererTest, ShowsStateRecordsWhateverIsAskedFor) {
  EXPECT_NE(Renderer({.verbosity = 2, .mirror = "photos", .session = 3}).render(state(1, 0)), "");
}

TEST(RendererTest, LetsNothingReachTheTerminal) {
  TapRecord record = filelist(1);
  record.summary = "a\x1b[2Jb\nc";
  record.details = {"\x07"};
  EXPECT_EQ(Renderer({.verbosity = 1, .utc = true}).render(record),
            "22:13:20.123456 <    1 filelist             12      35123  4096  a?[2Jb?c\n    ?\n");
}

}  // namespace
}  // namespace ssync::monitor
