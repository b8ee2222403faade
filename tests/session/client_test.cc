// The client's state table (proto-spec/02 §5) as a table: in this state, this event has these
// effects.
#include "ssync/session/client.h"

#include <functional>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session {
namespace {

using Rig = ClientRig;

struct Cell {
  const char* name;
  std::function<void(Rig&)> state;
  std::function<Lines(Rig&)> event;
  Lines effects;
};

class ClientTable : public testing::TestWithParam<Cell> {};

TEST_P(ClientTable, HasTheEffectsOfTheTable) {
  Rig rig;
  GetParam().state(rig);
  EXPECT_EQ(GetParam().event(rig), GetParam().effects);
}

std::string cell_name(const testing::TestParamInfo<Cell>& info) {
  return info.param.name;
}

const wire::ReplyBody kError = wire::ErrorReply{wire::ErrorCode::io, true, "no disk"};

void idle(Rig&) {}
void connecting(Rig& rig) {
  rig.connecting();
}
void greeting(Rig& rig) {
  rig.greeting();
}
void waiting(Rig& rig) {
  rig.waiting();
}
void running(Rig& rig) {
  rig.running();
}
void deciding(Rig& rig) {
  rig.deciding();
}
void leaving(Rig& rig) {
  rig.leaving();
}
void refused(Rig& rig) {
  rig.deciding().refuse();
}
void over(Rig& rig) {
  rig.over();
}

wire::ReplyBody numbered(const server::Output& output, std::uint64_t number) {
  return std::visit(
      [&](auto body) -> wire::ReplyBody {
        if constexpr (!std::is_same_v<decltype(body), wire::ErrorReply>) body.number = number;
        return body;
      },
      output);
}

const std::vector<Cell> kBefore{
    {"Start", idle, [](Rig& r) { return r.start(); }, {}},
    {"Connected", connecting, [](Rig& r) { return r.connected(); }, {"1 -> hello"}},
    {"ConnectingLost", connecting, [](Rig& r) { return r.lost(); }, {"failed: connection, retry"}},
    {"ConnectingTooLong",
     connecting,
     [](Rig& r) { return r.tick(milliseconds(30000)); },
     {"failed: connect_timeout, retry"}},
    {"ConnectingNotTooLong", connecting, [](Rig& r) { return r.tick(milliseconds(29999)); }, {}},
    {"ConnectingReply", connecting, [](Rig& r) { return r.welcome(); }, {"failed: protocol"}},
    {"ConnectingInterrupt", connecting, [](Rig& r) { return r.interrupt(); }, {"failed: interrupted"}},
    {"GreetingWelcome",
     greeting,
     [](Rig& r) { return r.welcome(); },
     {"attach 101", "start list", "2 -> next(0)"}},
    {"GreetingWait", greeting, [](Rig& r) { return r.wait(1); }, {"waiting: busy"}},
    {"GreetingError",
     greeting,
     [](Rig& r) { return r.reply(1, kError); },
     {"failed: server_error io, retry"}},
    {"GreetingErrorWithoutNumber",
     greeting,
     [](Rig& r) { return r.reply(0, kError); },
     {"failed: server_error io, retry"}},
    {"GreetingReplyThatDoesNotFit",
     greeting,
     [](Rig& r) { return r.reply(1, wire::Ok{}); },
     {"failed: protocol"}},
    {"GreetingReplyToNothing", greeting, [](Rig& r) { return r.welcome(2); }, {"failed: protocol"}},
    {"GreetingCredit", greeting, [](Rig& r) { return r.credit(0, 1); }, {"failed: protocol"}},
    {"GreetingMalformed", greeting, [](Rig& r) { return r.malformed(); }, {"failed: protocol"}},
    {"GreetingTooLong",
     greeting,
     [](Rig& r) { return r.tick(milliseconds(30000)); },
     {"failed: connect_timeout, retry"}},
    {"GreetingLost", greeting, [](Rig& r) { return r.lost(); }, {"failed: connection, retry"}},
    {"GreetingInterrupt",
     greeting,
     [](Rig& r) { return r.interrupt(); },
     {"2 -> bye(20)", "failed: interrupted"}},
    {"GreetingList", greeting, [](Rig& r) { return r.list(); }, {}},
    {"WaitingTime", waiting, [](Rig& r) { return r.tick(milliseconds(100)); }, {"2 -> hello"}},
    {"WaitingNotYet", waiting, [](Rig& r) { return r.tick(milliseconds(99)); }, {}},
    {"GreetingLateWait",
     [](Rig& r) {
       r.greeting();
       r.now += milliseconds(2000);
     },
     [](Rig& r) { return r.wait(1); },
     {"waiting: busy", "2 -> hello"}},
    {"GreetingWelcomeToAnotherMirror",
     greeting,
     [](Rig& r) { return r.welcome(1, "other"); },
     {"failed: protocol"}},
    {"WaitingLost", waiting, [](Rig& r) { return r.lost(); }, {"failed: connection, retry"}},
    {"WaitingInterrupt",
     waiting,
     [](Rig& r) { return r.interrupt(); },
     {"2 -> bye(20)", "failed: interrupted"}},
    {"WaitingErrorWithoutNumber",
     waiting,
     [](Rig& r) { return r.reply(0, kError); },
     {"failed: server_error io, retry"}},
};
INSTANTIATE_TEST_SUITE_P(Before, ClientTable, testing::ValuesIn(kBefore), cell_name);

const std::vector<Cell> kRunning{
    {"Directories", running, [](Rig& r) { return r.directories(); }, {"3 -> dirlist 0"}},
    {"RowsAfterDirectories",
     [](Rig& r) { r.running().directories(true); },
     [](Rig& r) { return r.list(); },
     {"4 -> filelist 1"}},
    {"ListRequest",
     [](Rig& r) { r.running().directories(); },
     [](Rig& r) {
       return r.reply(2, wire::ListRequest{1, {{"", 0}}});
     },
     {"list 1", "4 -> next(1)"}},
    {"ListRequestOfMoreThanWasListed",
     [](Rig& r) { r.running().directories(); },
     [](Rig& r) {
       return r.reply(2, wire::ListRequest{1, {{"", 0}, {"d", 1}}});
     },
     {"failed: protocol"}},
    {"List", running, [](Rig& r) { return r.list(); }, {"3 -> filelist 0"}},
    {"ListTaken",
     [](Rig& r) { r.running().list(); },
     [](Rig& r) { return r.reply(3, wire::FileListOk{0}); },
     {}},
    {"ListTakenOutOfOrder",
     [](Rig& r) { r.running().list(); },
     [](Rig& r) { return r.reply(3, wire::FileListOk{1}); },
     {"failed: protocol"}},
    {"Filerequest",
     running,
     [](Rig& r) {
       return r.reply(2, numbered(request_rows({1, 2}), 1));
     },
     {"read 2", "3 -> next(1)"}},
    {"Digestrequest",
     running,
     [](Rig& r) { return r.reply(2, numbered(query_rows({1}), 1)); },
     {"hash 1", "3 -> next(1)"}},
    {"Changes",
     running,
     [](Rig& r) { return r.reply(2, numbered(changes(), 1)); },
     {"changes", "3 -> next(1)"}},
    {"Problems",
     running,
     [](Rig& r) {
       return r.reply(2, wire::Problems{1, {}});
     },
     {"problems", "3 -> next(1)"}},
    {"Wait", running, [](Rig& r) { return r.wait(2); }, {"progress", "3 -> next(0)"}},
    {"Plan", running, [](Rig& r) { return r.reply(2, numbered(plan(), 1)); }, {"plan 1"}},
    {"PlanAccepted", deciding, [](Rig& r) { return r.accept(); }, {"3 -> next(1)"}},
    {"PlanRefused", deciding, [](Rig& r) { return r.refuse(); }, {"3 -> bye(25)"}},
    {"AcceptWithoutPlan", running, [](Rig& r) { return r.accept(); }, {}},
    {"SyncDone", running, [](Rig& r) { return r.reply(2, numbered(session::done(), 1)); }, {"3 -> bye(0)"}},
    {"WrongNumber", running, [](Rig& r) { return r.reply(2, numbered(changes(), 2)); }, {"failed: protocol"}},
    {"ReplyTwice",
     [](Rig& r) { r.running().wait(2); },
     [](Rig& r) { return r.wait(2); },
     {"failed: protocol"}},
    {"ReplyThatDoesNotFit",
     running,
     [](Rig& r) { return r.reply(2, wire::FileListOk{0}); },
     {"failed: protocol"}},
    {"SecondWelcome", running, [](Rig& r) { return r.welcome(2); }, {"failed: protocol"}},
    {"ReplyWithoutNumber", running, [](Rig& r) { return r.reply(0, wire::Ok{}); }, {"failed: protocol"}},
    {"Digests", running, [](Rig& r) { return r.digests(2); }, {"3 -> digests of 2"}},
    {"DigestsInBatches",
     running,
     [](Rig& r) { return r.digests(wire::kRowsMax + 1); },
     {"3 -> digests of 4096", "4 -> digests of 1"}},
    {"FileFailed", running, [](Rig& r) { return r.file_failed(7); }, {"3 -> fail 7"}},
    {"DigestsAreTaken",
     [](Rig& r) { r.running().digests(1); },
     [](Rig& r) { return r.reply(3, wire::Ok{}); },
     {}},
    {"Credit", running, [](Rig& r) { return r.credit(1, 20000); }, {}},
    {"Error", running, [](Rig& r) { return r.reply(2, kError); }, {"failed: server_error io, retry"}},
    {"Malformed", running, [](Rig& r) { return r.malformed(); }, {"failed: protocol"}},
    {"Lost", running, [](Rig& r) { return r.lost(); }, {"failed: connection, retry"}},
    {"Silence", running, [](Rig& r) { return r.tick(milliseconds(15000)); }, {"failed: idle_timeout, retry"}},
    {"NotYetSilence", running, [](Rig& r) { return r.tick(milliseconds(14999)); }, {}},
    {"Interrupt", running, [](Rig& r) { return r.interrupt(); }, {"3 -> bye(20)", "failed: interrupted"}},
    {"ConnectedAgain", running, [](Rig& r) { return r.connected(); }, {}},
};
INSTANTIATE_TEST_SUITE_P(Running, ClientTable, testing::ValuesIn(kRunning), cell_name);

const std::vector<Cell> kAfter{
    {"ByeAnswered", leaving, [](Rig& r) { return r.reply(3, wire::Ok{}); }, {"finished 1"}},
    {"ByeAnsweredWithError", leaving, [](Rig& r) { return r.reply(3, kError); }, {"finished 1"}},
    {"ByeUnanswered", leaving, [](Rig& r) { return r.tick(milliseconds(1000)); }, {"finished 1"}},
    {"ByeNotYetAnswered", leaving, [](Rig& r) { return r.tick(milliseconds(999)); }, {}},
    {"LeavingLost", leaving, [](Rig& r) { return r.lost(); }, {"finished 1"}},
    {"LeavingMalformed", leaving, [](Rig& r) { return r.malformed(); }, {"finished 1"}},
    {"LeavingCredit", leaving, [](Rig& r) { return r.credit(1, 20000); }, {}},
    {"LeavingOtherReplies", leaving, [](Rig& r) { return r.reply(2, wire::FileListOk{0}); }, {}},
    {"LeavingDigests", leaving, [](Rig& r) { return r.digests(1); }, {}},
    {"LeavingRefuse", leaving, [](Rig& r) { return r.refuse(); }, {}},
    {"RefusalAnswered", refused, [](Rig& r) { return r.reply(3, wire::Ok{}); }, {"failed: refused_plan"}},
    {"RefusalLost", refused, [](Rig& r) { return r.lost(); }, {"failed: refused_plan"}},
    {"OverReply", over, [](Rig& r) { return r.wait(2); }, {}},
    {"OverCredit", over, [](Rig& r) { return r.credit(1, 20000); }, {}},
    {"OverMalformed", over, [](Rig& r) { return r.malformed(); }, {}},
    {"OverLost", over, [](Rig& r) { return r.lost(); }, {}},
    {"OverTick", over, [](Rig& r) { return r.tick(milliseconds(100000)); }, {}},
    {"OverList", over, [](Rig& r) { return r.list(); }, {}},
    {"OverInterrupt", over, [](Rig& r) { return r.interrupt(); }, {}},
};
INSTANTIATE_TEST_SUITE_P(After, ClientTable, testing::ValuesIn(kAfter), cell_name);

TEST(ClientTest, TheListWindowIsTheServers) {
  Rig rig;
  rig.running();
  rig.list();
  EXPECT_TRUE(rig.client.list_room());
  rig.list();
  EXPECT_FALSE(rig.client.list_room());
  rig.reply(3, wire::FileListOk{0});
  EXPECT_TRUE(rig.client.list_room());
}

TEST(ClientTest, AcknowledgesTheLastNumberItDealtWithAlsoAfterWaits) {
  Rig rig;
  rig.running();
  EXPECT_EQ(rig.reply(2, numbered(changes(), 1)), (Lines{"changes", "3 -> next(1)"}));
  EXPECT_EQ(rig.wait(3), (Lines{"progress", "4 -> next(1)"}));
  EXPECT_EQ(rig.reply(4, numbered(plan(), 2)), (Lines{"plan 2"}));
  EXPECT_EQ(rig.accept(), (Lines{"5 -> next(2)"}));
  EXPECT_EQ(rig.accept(), Lines{});
}

TEST(ClientTest, SaysWhyItWaitsOnceAReason) {
  Rig rig;
  rig.waiting();
  rig.tick(milliseconds(100));
  EXPECT_EQ(rig.wait(2), Lines{});
  rig.tick(milliseconds(100));
  EXPECT_EQ(rig.reply(3, wire::Wait{wire::Wait::Reason::other_session, 0, 1, "next"}),
            (Lines{"waiting: next"}));
}

TEST(ClientTest, WaitsForItsTurnAsLongAsTheServerAnswers) {
  Rig rig;
  rig.waiting();
  EXPECT_EQ(rig.tick(milliseconds(100)), (Lines{"2 -> hello"}));
  for (std::uint32_t seq = 2; seq < 100; ++seq) {
    EXPECT_EQ(rig.tick(milliseconds(2000)), Lines{});
    EXPECT_EQ(rig.wait(seq), (Lines{std::to_string(seq + 1) + " -> hello"}));
  }
  EXPECT_EQ(rig.tick(milliseconds(15000)), (Lines{"failed: idle_timeout, retry"}));
}

TEST(ClientTest, AServerThatDoesNotKnowOfNamesGetsNothing) {
  client::Config config{hello_of(1)};
  config.hello.mirror = "photos";
  client::Client client(config);
  const Time now{std::chrono::hours(1)};
  static_cast<void>(client.start(now));
  static_cast<void>(client.on_connected(now));
  const client::Effects effects = client.on_reply(wire::Reply{1, wire::Welcome{}}, now);
  ASSERT_EQ(effects.size(), 1U);
  const auto& failed = std::get<client::Failed>(effects[0]);
  EXPECT_EQ(failed.why, client::Failed::Why::protocol);
  EXPECT_FALSE(failed.retry);
  EXPECT_EQ(failed.text, "the server does not know many mirrors; it would sync its only one, not 'photos'");
}

TEST(ClientTest, NextDeadlineIsWhenATickDoesSomething) {
  Rig rig;
  EXPECT_EQ(rig.client.next_deadline(), Time::max());
  rig.connecting();
  EXPECT_EQ(rig.client.next_deadline(), rig.now + milliseconds(30000));
  rig.connected();
  rig.wait(1);
  EXPECT_EQ(rig.client.next_deadline(), rig.now + milliseconds(100));
  rig.tick(milliseconds(100));
  rig.welcome(2);
  EXPECT_EQ(rig.client.next_deadline(), rig.now + milliseconds(10000));  // first credit
  rig.credit(0, 10000);
  EXPECT_EQ(rig.client.next_deadline(), rig.now + milliseconds(15000));
}

}  // namespace
}  // namespace ssync::session
