// The server's state table (proto-spec/02 §4) as a table: in this state, this event has these
// effects.
#include "ssync/session/server.h"

#include <functional>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session {
namespace {

using Rig = ServerRig;
constexpr milliseconds kHalf{500};

struct Cell {
  const char* name;
  std::function<void(Rig&)> state;
  std::function<Lines(Rig&)> event;
  Lines effects;
};

class ServerTable : public testing::TestWithParam<Cell> {};

TEST_P(ServerTable, HasTheEffectsOfTheTable) {
  Rig rig;
  GetParam().state(rig);
  EXPECT_EQ(GetParam().event(rig), GetParam().effects);
}

std::string cell_name(const testing::TestParamInfo<Cell>& info) {
  return info.param.name;
}

void idle(Rig&) {}
void opening(Rig& rig) {
  rig.opening();
}
void welcomed(Rig& rig) {
  rig.welcomed();
}
void running(Rig& rig) {
  rig.running();
}
void planned(Rig& rig) {
  rig.planned();
}
void sending(Rig& rig) {
  rig.sending();
}
void done(Rig& rig) {
  rig.done();
}
void failed(Rig& rig) {
  rig.failed();
}
void left(Rig& rig) {
  rig.left();
}

const std::vector<Cell> kIdle{
    {"Hello", idle, [](Rig& r) { return r.hello(1); }, {"open 1"}},
    {"RequestWithoutHello", idle, [](Rig& r) { return r.next(0); }, {"1 <- 1 error(session, retry)"}},
    {"Bye", idle, [](Rig& r) { return r.bye(); }, {"1 <- 1 ok"}},
    {"Attach", idle, [](Rig& r) { return r.attach(2); }, {"kick 2"}},
    {"Data", idle, [](Rig& r) { return r.data(1); }, {"kick 2"}},
    {"Malformed", idle, [](Rig& r) { return r.malformed(1); }, {"1 <- 0 error(protocol)"}},
    {"MalformedVersion",
     idle,
     [](Rig& r) { return r.malformed(1, Errc::version); },
     {"1 <- 0 error(version)"}},
    {"MalformedNumbered",
     idle,
     [](Rig& r) { return r.malformed(1, Errc::protocol, 9); },
     {"1 <- 9 error(protocol)"}},
    {"MalformedLimit", idle, [](Rig& r) { return r.malformed(1, Errc::limit); }, {"1 <- 0 error(limit)"}},
    {"MalformedData", idle, [](Rig& r) { return r.malformed_data(2); }, {"kick 2"}},
    {"Lost", idle, [](Rig& r) { return r.lost(1); }, {}},
    {"Tick", idle, [](Rig& r) { return r.tick(milliseconds(100000)); }, {}},
    {"Shutdown", idle, [](Rig& r) { return r.shutdown(); }, {}},
    {"HelloAfterShutdown",
     [](Rig& r) { r.shutdown(); },
     [](Rig& r) { return r.hello(1); },
     {"1 <- 1 error(shutdown, retry)"}},
};
INSTANTIATE_TEST_SUITE_P(Idle, ServerTable, testing::ValuesIn(kIdle), cell_name);

const std::vector<Cell> kOpening{
    {"Opened", opening, [](Rig& r) { return r.opened(); }, {"1 <- 1 welcome", "scan"}},
    {"Refused", opening, [](Rig& r) { return r.refused(); }, {"1 <- 1 error(source)"}},
    {"HelloAgain",
     opening,
     [](Rig& r) { return r.hello(1); },
     {"1 <- 2 error(state)", "1 <- 1 error(state)"}},
    {"RequestBeforeWelcome",
     opening,
     [](Rig& r) { return r.next(0); },
     {"1 <- 2 error(state)", "1 <- 1 error(state)"}},
    {"Bye", opening, [](Rig& r) { return r.bye(); }, {"1 <- 1 error(session, retry)", "1 <- 2 ok"}},
    {"HelloOfAnother", opening, [](Rig& r) { return r.hello(3); }, {"3 <- 1 wait(turn, 1 of 1)"}},
    {"HelloOfTheSameClientElsewhere",
     opening,
     [](Rig& r) { return r.hello(3, 1); },
     {"1 <- 1 error(session, retry)", "3 <- 1 wait(turn, 1 of 1)"}},
    {"Attach", opening, [](Rig& r) { return r.attach(); }, {"kick 2"}},
    {"Malformed",
     opening,
     [](Rig& r) { return r.malformed(1); },
     {"1 <- 1 error(protocol)", "1 <- 0 error(protocol)"}},
    {"Lost", opening, [](Rig& r) { return r.lost(1); }, {}},
    {"OpenedAfterLost",
     [](Rig& r) { r.opening().lost(1); },
     [](Rig& r) { return r.opened(); },
     {"close: the client's connection broke"}},
    {"RefusedAfterLost", [](Rig& r) { r.opening().lost(1); }, [](Rig& r) { return r.refused(); }, {}},
    {"Tick", opening, [](Rig& r) { return r.tick(milliseconds(100000)); }, {}},
    {"Shutdown", opening, [](Rig& r) { return r.shutdown(); }, {"1 <- 1 error(shutdown, retry)"}},
};
INSTANTIATE_TEST_SUITE_P(Opening, ServerTable, testing::ValuesIn(kOpening), cell_name);

const std::vector<Cell> kRunning{
    {"Attach", welcomed, [](Rig& r) { return r.attach(); }, {"attached 2 to 1", "2 <- credit 0 to 10000"}},
    {"AttachWithAnotherKey", welcomed, [](Rig& r) { return r.attach(2, 9); }, {"kick 2"}},
    {"NoAttach",
     welcomed,
     [](Rig& r) { return r.tick(milliseconds(10000)); },
     {"close: no data connection in time"}},
    {"SecondAttach",
     running,
     [](Rig& r) { return r.attach(7); },
     {"1 <- 2 error(state)", "close: a second data connection"}},
    {"Next", welcomed, [](Rig& r) { return r.next(0); }, {}},
    {"NextWithOutputsQueued",
     [](Rig& r) { r.welcomed().output(plan()); },
     [](Rig& r) { return r.next(0); },
     {"1 <- 2 plan 1"}},
    {"OutputWithNextOpen", running, [](Rig& r) { return r.output(plan()); }, {"1 <- 2 plan 1"}},
    {"Heartbeat", running, [](Rig& r) { return r.tick(milliseconds(2000)); }, {"1 <- 2 wait"}},
    {"BeforeTheHeartbeat", running, [](Rig& r) { return r.tick(milliseconds(1999)); }, {}},
    {"SecondNext",
     running,
     [](Rig& r) { return r.next(0); },
     {"1 <- 3 error(state)", "1 <- 2 error(state)", "close: a second next while one is open"}},
    {"NextWithAWrongAck",
     welcomed,
     [](Rig& r) { return r.next(1); },
     {"1 <- 2 error(protocol)", "close: next acknowledges what was not said last"}},
    {"NextForPlan",
     [](Rig& r) { r.running().output(plan()); },
     [](Rig& r) { return r.next(1); },
     {"proceed"}},
    {"Filelist", running, [](Rig& r) { return r.list(0, 0, 2, false); }, {"rows 0"}},
    {"Directories", running, [](Rig& r) { return r.directories(0, 2, false); }, {"directories 0"}},
    {"LastDirectories",
     [](Rig& r) { r.running().directories(0, 2, false); },
     [](Rig& r) { return r.directories(1, 1, true); },
     {"directories 1 last"}},
    {"DirectoriesNotOffered",
     [](Rig& r) {
       r.offers_sums = false;
       r.running();
     },
     [](Rig& r) { return r.directories(0, 1, true); },
     {"1 <- 3 error(state)", "1 <- 2 error(state)", "close: a dirlist that was not offered, or after rows"}},
    {"DirectoriesAfterRows",
     [](Rig& r) { r.running().list(0, 0, 2, false); },
     [](Rig& r) { return r.directories(1, 1, true); },
     {"1 <- 3 error(state)", "1 <- 4 error(state)", "1 <- 2 error(state)",
      "close: a dirlist that was not offered, or after rows"}},
    {"DirectoriesAfterTheLast",
     [](Rig& r) { r.running().directories(0, 1, true); },
     [](Rig& r) { return r.directories(1, 1, true); },
     {"1 <- 3 error(state)", "1 <- 4 error(state)", "1 <- 2 error(state)",
      "close: a dirlist after the last one"}},
    {"RowsThatNobodyAskedFor",
     [](Rig& r) { r.running().directories(0, 1, true); },
     [](Rig& r) { return r.list(1, 0, 1, false); },
     {"1 <- 3 error(state)", "1 <- 4 error(state)", "1 <- 2 error(state)",
      "close: rows that nobody asked for"}},
    {"RowsThatWereAskedFor",
     [](Rig& r) {
       r.running().directories(0, 2, true);
       r.output(list_rows({1}));
     },
     [](Rig& r) { return r.list(1, 7, 3, false); },
     {"rows 1"}},
    {"AnEndAmongRowsThatWereAskedFor",
     [](Rig& r) {
       r.running().directories(0, 2, true);
       r.output(list_rows({1}));
     },
     [](Rig& r) { return r.list(1, 7, 3, true); },
     {"1 <- 3 error(state)", "1 <- 4 error(state)", "close: rows that nobody asked for"}},
    {"LastFilelist", running, [](Rig& r) { return r.list(0, 0, 2, true); }, {"rows 0 last"}},
    {"ListTaken",
     [](Rig& r) { r.running().list(0, 0, 2, false); },
     [](Rig& r) { return r.taken(0); },
     {"1 <- 3 filelist:ok 0"}},
    {"FilelistAfterTheLast",
     planned,
     [](Rig& r) { return r.list(1, 3, 1, true); },
     {"1 <- 5 error(state)", "1 <- 4 error(state)", "close: a filelist after the last one"}},
    {"FilelistsOutOfOrder",
     running,
     [](Rig& r) { return r.list(1, 0, 1, false); },
     {"1 <- 3 error(protocol)", "1 <- 2 error(protocol)", "close: the list is out of order"}},
    {"RowsOutOfOrder",
     running,
     [](Rig& r) { return r.list(0, 1, 1, false); },
     {"1 <- 3 error(protocol)", "1 <- 2 error(protocol)", "close: row ids out of order"}},
    {"DigestsUnasked",
     running,
     [](Rig& r) { return r.digests(1); },
     {"1 <- 3 error(state)", "1 <- 2 error(state)", "close: digests that nobody asked for"}},
    {"Digests",
     [](Rig& r) {
       r.running().output(query_rows({1, 2}));
     },
     [](Rig& r) { return r.digests(2); },
     {"1 <- 3 ok", "digests of 2"}},
    {"FailUnasked",
     planned,
     [](Rig& r) { return r.fail(1); },
     {"1 <- 5 error(state)", "1 <- 4 error(state)", "close: fail for a file that was not requested"}},
    {"Fail", sending, [](Rig& r) { return r.fail(1); }, {"1 <- 6 ok", "failed 1"}},
    {"Data", sending, [](Rig& r) { return r.data(100); }, {"deliver 0"}},
    {"DataUnasked",
     planned,
     [](Rig& r) { return r.data(100); },
     {"1 <- 4 error(state)", "close: file data before any was requested"}},
    {"HelloInside",
     running,
     [](Rig& r) { return r.hello(1); },
     {"1 <- 3 error(state)", "1 <- 2 error(state)", "close: hello inside a session"}},
    {"AnotherSessionsId",
     running,
     [](Rig& r) { return r.request(1, wire::Fail{}, 9); },
     {"1 <- 3 error(session, retry)", "1 <- 2 error(session, retry)",
      "close: a request without this session's id"}},
    {"SequenceGap",
     [](Rig& r) { r.running().skip_seq(1); },
     [](Rig& r) { return r.fail(1); },
     {"1 <- 4 error(protocol)", "1 <- 2 error(protocol)", "close: sequence numbers with a gap"}},
    {"HelloOfAnother", running, [](Rig& r) { return r.hello(3); }, {"3 <- 1 wait(turn, 1 of 1)"}},
    {"HelloOfTheSameClientElsewhere",
     running,
     [](Rig& r) { return r.hello(3, 1); },
     {"1 <- 2 error(session, retry)", "close: the client came back on another connection",
      "3 <- 1 wait(turn, 1 of 1)"}},
    {"RequestOfAnother", running, [](Rig& r) { return r.next(0, 3); }, {"3 <- 1 error(session, retry)"}},
    {"DataOfAnother", sending, [](Rig& r) { return r.data(1, 4); }, {"kick 4"}},
    {"Malformed",
     running,
     [](Rig& r) { return r.malformed(1); },
     {"1 <- 2 error(protocol)", "1 <- 0 error(protocol)", "close: bad bytes"}},
    {"MalformedOfAnother", running, [](Rig& r) { return r.malformed(3); }, {"3 <- 0 error(protocol)"}},
    {"MalformedData",
     running,
     [](Rig& r) { return r.malformed_data(2); },
     {"1 <- 2 error(protocol)", "close: bad bytes", "kick 2"}},
    {"MalformedDataOfAnother", running, [](Rig& r) { return r.malformed_data(4); }, {"kick 4"}},
    {"LostControl", running, [](Rig& r) { return r.lost(1); }, {"close: the client's connection broke"}},
    {"LostData",
     running,
     [](Rig& r) { return r.lost(2); },
     {"1 <- 2 error(session, retry)", "close: the client's data connection broke"}},
    {"LostOfAnother", running, [](Rig& r) { return r.lost(3); }, {}},
    {"Silence",
     running,
     [](Rig& r) {
       r.tick(milliseconds(2000));  // takes the open next
       return r.tick(milliseconds(13000));
     },
     {"close: the client went silent"}},
    {"Bye",
     running,
     [](Rig& r) { return r.bye(20); },
     {"1 <- 2 error(session, retry)", "1 <- 3 ok", "close: the client said bye: code 20"}},
    {"ByeAfterSyncDone", done, [](Rig& r) { return r.bye(); }, {"1 <- 6 ok", "close complete"}},
    {"NextAfterSyncDone", done, [](Rig& r) { return r.next(3); }, {"1 <- 6 wait", "close complete"}},
    {"ErrorOutput",
     running,
     [](Rig& r) { return r.output(failure()); },
     {"1 <- 2 error(io, retry)", "close: the disk is gone"}},
    {"ErrorOutputWithFilelistsOpen",
     [](Rig& r) { r.running().list(0, 0, 1, false); },
     [](Rig& r) { return r.output(failure()); },
     {"1 <- 3 error(io, retry)", "1 <- 2 error(io, retry)", "close: the disk is gone"}},
    {"ErrorOutputWaitsForNext", welcomed, [](Rig& r) { return r.output(failure()); }, {}},
    {"Shutdown",
     running,
     [](Rig& r) { return r.shutdown(); },
     {"1 <- 2 error(shutdown, retry)", "close: the server is stopping"}},
};
INSTANTIATE_TEST_SUITE_P(Running, ServerTable, testing::ValuesIn(kRunning), cell_name);

const std::vector<Cell> kClosing{
    {"LateRequest", failed, [](Rig& r) { return r.next(0); }, {"1 <- 3 error(io, retry)"}},
    {"LateBye", failed, [](Rig& r) { return r.bye(); }, {"1 <- 3 ok"}},
    {"LateData", failed, [](Rig& r) { return r.data(1); }, {}},
    {"LateOutput", failed, [](Rig& r) { return r.output(plan()); }, {}},
    {"LateListTaken", failed, [](Rig& r) { return r.taken(0); }, {}},
    {"LateCredit", failed, [](Rig& r) { return r.returned(5000); }, {}},
    {"KickedAfterLastWords", failed, [](Rig& r) { return r.tick(kHalf); }, {"kick 1", "kick 2"}},
    {"NotKickedBefore", failed, [](Rig& r) { return r.tick(kHalf - milliseconds(1)); }, {}},
    {"LostPeerIsNotKicked",
     [](Rig& r) {
       r.failed();
       EXPECT_EQ(r.lost(1), Lines{});
     },
     [](Rig& r) { return r.tick(kHalf); },
     {"kick 2"}},
    {"WhoSaidByeIsNotKicked", left, [](Rig& r) { return r.tick(kHalf); }, {}},
    {"ByeAfterBye", left, [](Rig& r) { return r.bye(); }, {"1 <- 6 ok"}},
    {"RequestAfterBye", left, [](Rig& r) { return r.next(1); }, {"1 <- 6 error(session, retry)"}},
    {"ByeAfterTheLastNext", [](Rig& r) { r.done().next(3); }, [](Rig& r) { return r.bye(); }, {"1 <- 7 ok"}},
    {"HelloOfAnother", failed, [](Rig& r) { return r.hello(3); }, {"3 <- 1 wait(turn, 1 of 1)"}},
    {"Attach", failed, [](Rig& r) { return r.attach(7); }, {"kick 7"}},
    {"Shutdown", failed, [](Rig& r) { return r.shutdown(); }, {}},
    {"Closed", failed, [](Rig& r) { return r.closed(); }, {}},
    {"KickedAlsoAfterClosed",
     [](Rig& r) { r.failed().closed(); },
     [](Rig& r) { return r.tick(kHalf); },
     {"kick 1", "kick 2"}},
};
INSTANTIATE_TEST_SUITE_P(Closing, ServerTable, testing::ValuesIn(kClosing), cell_name);

TEST(ServerTest, OneSyncFromHelloToBye) {
  Rig rig;
  EXPECT_EQ(rig.hello(1), (Lines{"open 1"}));
  EXPECT_EQ(rig.opened(), (Lines{"1 <- 1 welcome", "scan"}));
  EXPECT_EQ(rig.next(0), Lines{});
  EXPECT_EQ(rig.attach(), (Lines{"attached 2 to 1", "2 <- credit 0 to 10000"}));
  EXPECT_EQ(rig.list(0, 0, 2, false), (Lines{"rows 0"}));
  EXPECT_EQ(rig.list(1, 2, 1, true), (Lines{"rows 1 last"}));
  EXPECT_EQ(rig.taken(0), (Lines{"1 <- 3 filelist:ok 0"}));
  EXPECT_EQ(rig.taken(1), (Lines{"1 <- 4 filelist:ok 1"}));
  EXPECT_EQ(rig.output(plan()), (Lines{"1 <- 2 plan 1"}));
  EXPECT_EQ(rig.next(1), (Lines{"proceed"}));
  EXPECT_EQ(rig.output(request_rows({2})), (Lines{"1 <- 5 filerequest 2"}));
  EXPECT_EQ(rig.next(2), Lines{});
  EXPECT_EQ(rig.data(10), (Lines{"deliver 0"}));
  EXPECT_EQ(rig.output(session::done()), (Lines{"1 <- 6 sync:done 3"}));
  EXPECT_EQ(rig.bye(), (Lines{"1 <- 7 ok", "close complete"}));
  EXPECT_EQ(rig.closed(), Lines{});
  EXPECT_EQ(rig.server.active(), 0U);
}

TEST(ServerTest, ProceedsOnceHoweverManyNextsFollow) {
  Rig rig;
  rig.running().output(plan());
  EXPECT_EQ(rig.next(1), (Lines{"proceed"}));
  EXPECT_EQ(rig.tick(milliseconds(2000)), (Lines{"1 <- 3 wait"}));
  EXPECT_EQ(rig.next(1), Lines{});
  EXPECT_EQ(rig.output(changes()), (Lines{"1 <- 4 changes 2"}));
  EXPECT_EQ(rig.next(2), Lines{});
}

TEST(ServerTest, NothingFollowsAnErrorOfTheSync) {
  Rig rig;
  rig.welcomed().output(plan());
  rig.output(failure());
  EXPECT_EQ(rig.output(session::done()), Lines{});
  EXPECT_EQ(rig.next(0), (Lines{"1 <- 2 plan 1"}));
  EXPECT_EQ(rig.next(1), (Lines{"proceed", "1 <- 3 error(io, retry)", "close: the disk is gone"}));
}

TEST(ServerTest, QueuedOutputsGoOutOneToANextInOrder) {
  Rig rig;
  rig.welcomed();
  for (int i = 0; i < 16; ++i) {
    EXPECT_TRUE(rig.server.output_room(1));
    rig.output(changes());
  }
  EXPECT_FALSE(rig.server.output_room(1));
  for (std::uint64_t i = 0; i < 16; ++i) {
    EXPECT_EQ(rig.next(i), (Lines{"1 <- " + std::to_string(i + 2) + " changes " + std::to_string(i + 1)}));
  }
  EXPECT_TRUE(rig.server.output_room(1));
}

TEST(ServerTest, TheListWindowIsEightAndEachOpenOneGetsTheError) {
  Rig rig;
  rig.welcomed();
  for (std::uint64_t i = 0; i < wire::kListWindow; ++i)
    EXPECT_EQ(rig.list(i, i, 1, false).size(), 1U);
  Lines effects;
  for (int seq = 2; seq <= 10; ++seq)
    effects.push_back("1 <- " + std::to_string(seq) + " error(flow)");
  effects.emplace_back("close: more of the list than the window allows");
  EXPECT_EQ(rig.list(8, 8, 1, false), effects);
}

TEST(ServerTest, AnyMessageOfEitherConnectionIsLife) {
  Rig rig;
  rig.sending();
  for (int i = 0; i < 4; ++i) {
    rig.tick(milliseconds(10000));
    EXPECT_EQ(rig.data(1).size(), 1U);
  }
  rig.tick(milliseconds(14000));
  EXPECT_EQ(rig.next(2), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(1999)), Lines{});
  EXPECT_EQ(rig.tick(milliseconds(13001)),
            (Lines{"1 <- 6 error(timeout, retry)", "close: the client went silent"}));
}

TEST(ServerTest, AnswersDigestsUpToTheNumberAskedFor) {
  Rig rig;
  rig.running().output(query_rows({1, 2, 3}));
  EXPECT_EQ(rig.digests(1), (Lines{"1 <- 3 ok", "digests of 1"}));
  EXPECT_EQ(rig.digests(2), (Lines{"1 <- 4 ok", "digests of 2"}));
  EXPECT_EQ(rig.digests(1).back(), "close: digests that nobody asked for");
}

TEST(ServerTest, DataThatDoesNotFitItsSequenceEndsTheSession) {
  const std::vector<std::function<void(wire::DataHead&)>> spoil{[](wire::DataHead& head) { ++head.tag; },
                                                                [](wire::DataHead& head) { ++head.number; },
                                                                [](wire::DataHead& head) { ++head.offset; }};
  for (const auto& change : spoil) {
    Rig rig;
    wire::DataHead head = rig.sending().next_data();
    change(head);
    EXPECT_EQ(rig.data(head, 1), (Lines{"1 <- 5 error(protocol)", "close: data messages out of order"}));
  }
  Rig rig;
  EXPECT_EQ(rig.sending().attach(2).back(),
            "close: a message of a kind that only servers send, or a second attach");
}

TEST(ServerTest, EachRequestAfterTheErrorIsAnsweredWithItUntilTheKick) {
  Rig rig;
  rig.failed().closed();
  for (int seq = 3; seq < 6; ++seq)
    EXPECT_EQ(rig.next(0), (Lines{"1 <- " + std::to_string(seq) + " error(io, retry)"}));
  EXPECT_EQ(rig.hello(1), (Lines{"1 <- 6 error(io, retry)"}));
  EXPECT_EQ(rig.tick(kHalf), (Lines{"kick 1", "kick 2"}));
}

TEST(ServerTest, RefusedClientsAreDisconnectedAndTheTurnIsFreeAtOnce) {
  Rig rig;
  rig.opening().refused();
  EXPECT_EQ(rig.server.active(), 0U);
  EXPECT_EQ(rig.hello(3), (Lines{"open 3"}));
  EXPECT_EQ(rig.tick(kHalf), (Lines{"kick 1"}));
}

}  // namespace
}  // namespace ssync::session
