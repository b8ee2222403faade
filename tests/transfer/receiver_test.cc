// Messages by hand into a Receiver over a FakeTree.
#include "ssync/transfer/receiver.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/fake_tree.h"

#include "rig.h"

namespace ssync::transfer {
namespace {

using support::dir;
using support::FakeOp;
using support::FakeTree;
using support::file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr FileTime kMtime{1'500'000'000, 5};
constexpr support::DumpOptions kNames{.mtime = false, .mode = false, .root = false, .staging = false};

struct Events {
  std::vector<std::string> published, failures;
  std::uint64_t credited = 0;
  std::vector<PublishedFile> files;
};

class ReceiverTest : public testing::TestWithParam<Durable> {
 protected:
  void start() { start({.durable = GetParam()}); }
  void start(Receiver::Options options) { receiver_.emplace(mirror_, staging_, options, events_); }

  /// A request for a new file, or for the one that the mirror has there now.
  void expect(RowId row, std::string_view path, bool fills = false, bool any_content = false) {
    if (!receiver_) start();
    Change request;
    request.row = row;
    request.location = split(path).location;
    request.name = split(path).name;
    request.wanted.mode = 0640;
    request.step = Change::Request{.fills_directory = fills, .any_content = any_content};
    if (mirror_.exists(path)) request.at_path = mirror_.stat(path).seen;
    receiver_->expect(std::move(request));
  }
  [[nodiscard]] std::string send(std::vector<wire::Segment> segments, std::string_view payload) {
    wire::DataHead head = head_of(std::move(segments));
    charged_ += wire::charge(wire::encode(head).size(), payload.size());
    const Result<void> accepted = receiver_->accept(std::move(head), payload_of(payload));
    return accepted ? "" : accepted.error().text();
  }
  Events finish() {
    receiver_->finish();
    return drain();
  }
  Events drain() {
    Events all;
    while (std::optional<ReceiveEvent> event = events_.pop()) {
      if (auto* const published = std::get_if<Published>(&*event)) {
        for (PublishedFile& file : published->files) {
          all.published.push_back(join(file.change.path()));
          all.files.push_back(std::move(file));
        }
      } else if (auto* const failure = std::get_if<ReceiveFailure>(&*event)) {
        all.failures.push_back(join(failure->problem.path()) + ": " + failure->problem.text);
      } else {
        all.credited += std::get<CreditReturned>(*event).bytes;
      }
    }
    return all;
  }
  [[nodiscard]] std::vector<std::string> renames() const {
    std::vector<std::string> found;
    for (const std::string& change : mirror_.changes()) {
      if (change.starts_with("rename")) found.push_back(change);
    }
    return found;
  }
  [[nodiscard]] std::string tree() { return mirror_.dump(kNames); }

  FakeTree mirror_{std::vector<support::Node>{dir("d"), file("old", "old content")}};
  fs::Staging staging_{mirror_};
  BoundedQueue<ReceiveEvent> events_{1000};
  std::optional<Receiver> receiver_;
  std::uint64_t charged_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Durable, ReceiverTest, testing::Values(Durable::no, Durable::yes),
                         [](const auto& with) { return with.param == Durable::yes ? "Durable" : "Fast"; });

TEST_P(ReceiverTest, PublishesFilesOfOneMessage) {
  expect(1, "a");
  expect(2, "d/b");
  EXPECT_EQ(send({whole(1, "one"), whole(2, "second")}, "onesecond"), "");
  const Events events = finish();
  EXPECT_THAT(events.published, testing::UnorderedElementsAre("a", "d/b"));
  EXPECT_EQ(events.credited, charged_);
  EXPECT_EQ(tree(), "a file 3 \"one\"\nd dir -\nold file 11 \"old content\"\nd/b file 6 \"second\"\n");
  EXPECT_EQ(mirror_.stat("a").seen.values.mtime, kMtime);
  EXPECT_EQ(mirror_.stat("a").seen.values.mode, 0640);
}

TEST_P(ReceiverTest, WhatChangedWhileItWasReadIsTakenOnlyWhereThatWasAskedFor) {
  expect(1, "a", false, true);
  expect(2, "d/b");
  wire::Segment first = whole(1, "one");
  first.ending.changed = true;
  EXPECT_EQ(send({first}, "one"), "");
  wire::Segment second = whole(2, "second");
  second.ending.changed = true;
  EXPECT_THAT(send({second}, "second"), HasSubstr("not asked for"));
  EXPECT_EQ(send({whole(2, "second")}, "second"), "");
  const Events events = finish();
  ASSERT_EQ(events.files.size(), 2U);
  for (const PublishedFile& file : events.files)
    EXPECT_EQ(file.changed, file.change.row == 1) << file.change.row;
}

TEST_P(ReceiverTest, TellsWhatTheSourceEndedWith) {
  expect(7, "a");
  EXPECT_EQ(send({whole(7, "12345")}, "12345"), "");
  const Events events = finish();
  ASSERT_EQ(events.files.size(), 1U);
  EXPECT_EQ(events.files[0].change.row, 7U);
  EXPECT_EQ(events.files[0].change.wanted.size, 5U);
  EXPECT_EQ(events.files[0].change.wanted.mtime, kMtime);
  EXPECT_EQ(events.files[0].checksum, whole(7, "12345").ending.checksum);
}

// Else who takes the last event, and then waits because something is outstanding, waits for ever.
TEST_P(ReceiverTest, AFileIsNotOutstandingOnceItsEventIsThere) {
  start({.writers = 1, .durable = GetParam()});
  std::vector<std::size_t> outstanding;
  events_.on_item([&] {  // in the thread that reports
    if (!events_.closed()) outstanding.push_back(receiver_->outstanding());
  });
  expect(1, "a");
  EXPECT_EQ(send({whole(1, "one")}, "one"), "");
  Events events = finish();
  EXPECT_THAT(events.published, ElementsAre("a"));
  ASSERT_FALSE(outstanding.empty());
  EXPECT_EQ(outstanding.back(), 0U);
}

TEST_P(ReceiverTest, PutsPiecesTogetherWithHoles) {
  expect(1, "a");
  wire::Segment last = piece(1, 6, "cd");
  last.last = true;
  last.ending = whole(1, std::string_view("ab\0\0\0\0cd\0\0", 10)).ending;
  EXPECT_EQ(send({piece(1, 0, "ab")}, "ab"), "");
  EXPECT_EQ(send({last}, "cd"), "");
  EXPECT_THAT(finish().published, ElementsAre("a"));
  EXPECT_EQ(mirror_.read("a"), std::string("ab\0\0\0\0cd\0\0", 10));
}

TEST_P(ReceiverTest, ForgetsWhatCameBeforeARestart) {
  expect(1, "a");
  expect(2, "d/b");
  EXPECT_EQ(send({piece(1, 0, "wrong and longer"), piece(2, 0, "wro")}, "wrong and longerwro"), "");
  wire::Segment again = piece(1, 0, "ri");
  again.restart = true;
  wire::Segment last = piece(1, 2, "ght");
  last.last = true;
  last.ending = whole(1, "right").ending;
  wire::Segment at_once = whole(2, "right");
  at_once.restart = true;
  EXPECT_EQ(send({again, last, at_once}, "rightright"), "");
  EXPECT_THAT(finish().published, testing::UnorderedElementsAre("a", "d/b"));
  EXPECT_EQ(mirror_.read("a") + mirror_.read("d/b"), "rightright");
}

TEST_P(ReceiverTest, RefusesContentWithAnotherChecksum) {
  expect(1, "a");
  expect(2, "old");
  wire::Segment last = piece(2, 1, "y");
  last.last = true;
  last.ending = whole(2, "zy").ending;
  EXPECT_EQ(send({whole(1, "one"), piece(2, 0, "x")}, "0nex"), "");
  EXPECT_EQ(send({last}, "y"), "");
  const Events events = finish();
  EXPECT_THAT(events.published, IsEmpty());
  EXPECT_THAT(events.failures, testing::Each(HasSubstr("has not the checksum of the source")));
  EXPECT_EQ(events.credited, charged_);
  EXPECT_EQ(tree(), "d dir -\nold file 11 \"old content\"\n");
}

TEST_P(ReceiverTest, EndsTheSessionOnDataNobodyAskedFor) {
  expect(1, "a");
  EXPECT_THAT(send({whole(2, "x")}, "x"), HasSubstr("row 2: it is not expected"));
}

TEST_P(ReceiverTest, EndsTheSessionWhenPiecesContradict) {
  for (RowId row = 1; row <= 6; ++row)
    expect(row, std::to_string(row));
  EXPECT_EQ(send({piece(1, 0, "abc")}, "abc"), "");
  EXPECT_THAT(send({piece(1, 2, "c")}, "c"), HasSubstr("out of order"));
  wire::Segment small = whole(2, "abc");
  small.ending.size = 2;
  EXPECT_THAT(send({small}, "abc"), HasSubstr("another size"));
  EXPECT_EQ(send({whole(3, "abc")}, "abc"), "");
  EXPECT_THAT(send({whole(3, "abc")}, "abc"), HasSubstr("row 3"));
  wire::Segment restart = piece(4, 1, "a");
  restart.restart = true;
  EXPECT_THAT(send({restart}, "a"), HasSubstr("not at offset 0"));
  EXPECT_THAT(send({piece(5, ~std::uint64_t{0} >> 1U, "a")}, "a"), HasSubstr("beyond the largest file"));
  EXPECT_THAT(send({piece(6, 0, "abc")}, "ab"), HasSubstr("more than the payload holds"));
}

// The requests of this test say that the files are empty.
TEST_P(ReceiverTest, EndsTheSessionWhenFilesGrowOverTheLimit) {
  expect(1, "a");
  expect(2, "b");
  receiver_->limit_growth(10);
  EXPECT_EQ(send({piece(1, 0, "123456")}, "123456"), "");
  wire::Segment again = piece(1, 0, "12345678");
  again.restart = true;
  EXPECT_EQ(send({again}, "12345678"), "") << "what comes anew is not counted twice";
  EXPECT_EQ(send({whole(2, "ab")}, "ab"), "");
  const Result<void> over = receiver_->accept(head_of({piece(1, 8, "9")}), payload_of("9"));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::permission);
  EXPECT_THAT(over.error().text(), HasSubstr("'a' has become larger"));
}

TEST_P(ReceiverTest, AHoleAtTheEndIsGrowthToo) {
  expect(1, "a");
  receiver_->limit_growth(10);
  wire::Segment last = whole(1, "x");
  last.ending.size = 11;
  EXPECT_THAT(send({last}, "x"), HasSubstr("max-bytes"));
}

TEST_P(ReceiverTest, EndsTheSessionOnTooManyFilesAtOnce) {
  std::string refused;
  for (RowId row = 0; row < 300 && refused.empty(); ++row) {
    expect(row, "f" + std::to_string(row));
    refused = send({piece(row, 0, "x")}, "x");
  }
  EXPECT_THAT(refused, HasSubstr("row 256: more than 256 files at once"));
}

TEST_P(ReceiverTest, DiscardsWhatStillComesForAFileTheSourceGaveUp) {
  expect(1, "a");
  expect(2, "b");
  EXPECT_EQ(send({piece(1, 0, "abc")}, "abc"), "");
  receiver_->fail(
      1, {.row = 1, .vanished = true, .sys_errno = ENOENT, .text = "open: No such file or directory"});
  EXPECT_EQ(send({piece(1, 3, "def"), whole(2, "two")}, "deftwo"), "");
  EXPECT_EQ(send({piece(1, 6, "ghi")}, "ghi"), "");
  const Events events = finish();
  EXPECT_THAT(events.failures, ElementsAre("a: open: No such file or directory"));
  EXPECT_THAT(events.published, ElementsAre("b"));
  receiver_.reset();
  EXPECT_EQ(mirror_.dump({.root = false, .staging = true}).find("abc"), std::string::npos);
}

TEST_P(ReceiverTest, GoesOnAfterAFullDisk) {
  mirror_.set_limits({.capacity_bytes = 3 * 4096});
  expect(1, "large");
  expect(2, "old");
  const std::string large(5 * 4096, 'x');
  EXPECT_EQ(send({whole(1, large)}, large), "");
  EXPECT_EQ(send({whole(2, "new")}, "new"), "");
  const Events events = finish();
  EXPECT_THAT(events.failures, ElementsAre("large: write: No space left on device"));
  EXPECT_THAT(events.published, ElementsAre("old"));
  EXPECT_EQ(events.credited, charged_);
  EXPECT_EQ(tree(), "d dir -\nold file 3 \"new\"\n");
}

TEST_P(ReceiverTest, LeavesWhatAppearedMeanwhile) {
  expect(1, "a");
  mirror_.add(file("a", "somebody's"));
  EXPECT_EQ(send({whole(1, "mine")}, "mine"), "");
  EXPECT_THAT(finish().failures, ElementsAre("a: something is in its place on the mirror that came meanwhile "
                                             "or could not be removed; the next sync looks again"));
  EXPECT_EQ(mirror_.read("a"), "somebody's");
}

TEST_P(ReceiverTest, LeavesWhatTookThePlaceOfTheScannedFile) {
  expect(1, "old");
  mirror_.add(file("old", "somebody's"));
  EXPECT_EQ(send({whole(1, "mine")}, "mine"), "");
  EXPECT_THAT(finish().failures,
              ElementsAre("old: it changed on the mirror meanwhile; the next sync looks again"));
  EXPECT_EQ(mirror_.read("old"), "somebody's");
}

TEST_P(ReceiverTest, FillsAPathWhoseFileWentAway) {
  expect(1, "old");
  mirror_.erase("old");
  EXPECT_EQ(send({whole(1, "new")}, "new"), "");
  EXPECT_THAT(finish().published, ElementsAre("old"));
}

TEST_P(ReceiverTest, FillsANewDirectoryAndRenamesItOnce) {
  expect(1, "d/a", true);
  expect(2, "d/b", true);
  EXPECT_EQ(send({whole(1, "one"), whole(2, "two")}, "onetwo"), "");
  const std::optional<ReceiveEvent> written = events_.pop();
  ASSERT_TRUE(written && std::holds_alternative<CreditReturned>(*written));
  mirror_.tick();  // their stats are old enough to be believed
  const Events events = finish();
  EXPECT_THAT(events.published, ElementsAre("d/a", "d/b"));
  EXPECT_EQ(tree(), "d dir -\nold file 11 \"old content\"\nd/a file 3 \"one\"\nd/b file 3 \"two\"\n");
  EXPECT_THAT(renames(), ElementsAre(HasSubstr("-> d")));
  EXPECT_EQ(mirror_.stat("d/a").seen.values.mtime, kMtime);
  EXPECT_EQ(mirror_.stat("d/a").seen.values.mode, 0640);
  for (const PublishedFile& file : events.files) {
    EXPECT_EQ(file.seen, mirror_.stat(join(file.change.path())).seen);
  }
}

TEST_P(ReceiverTest, AFilledDirectoryIsAsOpenAsTheOneBefore) {
  mirror_.chmod("d", 02750);
  expect(1, "d/a", true);
  EXPECT_EQ(send({whole(1, "one")}, "one"), "");
  (void)finish();
  EXPECT_EQ(mirror_.stat("d").seen.values.mode, 02750);
}

TEST_P(ReceiverTest, ADirectoryIsNotThereBeforeAllThatFillsItIs) {
  expect(1, "d/a", true);
  expect(2, "d/b", true);
  expect(3, "other", false);
  EXPECT_EQ(send({whole(1, "one"), whole(3, "x")}, "onex"), "");
  while (const std::optional<ReceiveEvent> event = events_.pop()) {
    if (std::holds_alternative<Published>(*event)) break;
    ASSERT_TRUE(std::holds_alternative<CreditReturned>(*event));
    if (GetParam() == Durable::yes) break;  // "other" waits for more
  }
  EXPECT_FALSE(mirror_.exists("d/a"));
  EXPECT_EQ(send({whole(2, "two")}, "two"), "");
  (void)finish();
  EXPECT_EQ(mirror_.read("d/a") + mirror_.read("d/b") + mirror_.read("other"), "onetwox");
}

TEST_P(ReceiverTest, WhatComesForAFilledDirectoryLaterGoesInAlone) {
  expect(1, "d/a", true);
  EXPECT_EQ(send({whole(1, "one")}, "one"), "");
  receiver_->flush();
  for (bool there = false; !there;) {  // nothing more is expected until then
    const std::optional<ReceiveEvent> event = events_.pop();
    ASSERT_TRUE(event);
    there = std::holds_alternative<Published>(*event);
  }
  EXPECT_EQ(mirror_.read("d/a"), "one");
  expect(2, "d/b", true);
  EXPECT_EQ(send({whole(2, "two")}, "two"), "");
  EXPECT_THAT(finish().published, ElementsAre("d/b"));
  EXPECT_EQ(mirror_.read("d/a") + mirror_.read("d/b"), "onetwo");
}

TEST_P(ReceiverTest, AFileInPiecesJoinsTheDirectoryThatIsFilled) {
  expect(1, "d/a", true);
  expect(2, "d/b", true);
  wire::Segment last = piece(2, 1, "o");
  last.last = true;
  last.ending = whole(2, "two").ending;
  last.offset = 2;
  EXPECT_EQ(send({whole(1, "one"), piece(2, 0, "tw")}, "onetw"), "");
  EXPECT_EQ(send({last}, "o"), "");
  EXPECT_THAT(finish().published, testing::UnorderedElementsAre("d/a", "d/b"));
  EXPECT_EQ(mirror_.read("d/a") + mirror_.read("d/b"), "onetwo");
  EXPECT_THAT(renames(), testing::Contains(HasSubstr("-> d")));
}

TEST_P(ReceiverTest, FilesGoInOneByOneWhereSomethingAppearedMeanwhile) {
  expect(1, "d/a", true);
  expect(2, "d/b", true);
  EXPECT_EQ(send({whole(1, "one")}, "one"), "");
  mirror_.add(file("b", "a stranger's"), "d");
  mirror_.add(file("c", "another"), "d");
  EXPECT_EQ(send({whole(2, "two")}, "two"), "");
  const Events events = finish();
  EXPECT_THAT(events.published, ElementsAre("d/a"));
  EXPECT_THAT(events.failures, ElementsAre(HasSubstr("d/b: something is in its place")));
  EXPECT_EQ(mirror_.read("d/a") + mirror_.read("d/b") + mirror_.read("d/c"), "onea stranger'sanother");
}

TEST_P(ReceiverTest, AFailedFileDoesNotHoldUpItsDirectory) {
  expect(1, "d/a", true);
  expect(2, "d/b", true);
  expect(3, "d/c", true);
  EXPECT_EQ(send({whole(1, "one"), whole(2, "two")}, "onexxx"), "");
  receiver_->fail(3, {});
  const Events events = finish();
  EXPECT_THAT(events.published, ElementsAre("d/a"));
  EXPECT_EQ(events.failures.size(), 2U);
  EXPECT_EQ(tree(), "d dir -\nold file 11 \"old content\"\nd/a file 3 \"one\"\n");
}

TEST_P(ReceiverTest, FillsADirectoryOnAnotherDeviceOneByOne) {
  mirror_.mount("d", {.type_name = "other"});
  expect(1, "d/a", true);
  expect(2, "d/b", true);
  EXPECT_EQ(send({whole(1, "one"), whole(2, "two")}, "onetwo"), "");
  EXPECT_THAT(finish().published, ElementsAre("d/a", "d/b"));
  EXPECT_EQ(mirror_.read("d/a") + mirror_.read("d/b"), "onetwo");
}

TEST_P(ReceiverTest, SetsTheOwnerBeforeTheModeAndTheTimeLast) {
  start({.writers = 1, .durable = GetParam(), .attributes = {.owner = true}});
  expect(1, "first");
  EXPECT_EQ(send({whole(1, "1")}, "1"), "");
  Change request;
  request.step = Change::Request{};
  request.row = 2;
  request.name = "setuid";
  request.wanted.mode = 04755;
  request.wanted.owner = {1234, 5678};
  receiver_->expect(request);
  EXPECT_EQ(send({whole(2, "x")}, "x"), "");
  EXPECT_THAT(finish().failures, IsEmpty());
  EXPECT_EQ(mirror_.stat("setuid").seen.values, (Values{Kind::file, 04755, 1, kMtime, {1234, 5678}}));
}

TEST_P(ReceiverTest, ReportsAnOwnerThatCannotBeSet) {
  mirror_.set_limits({.owner = false});
  start({.durable = GetParam(), .attributes = {.owner = true}});
  Change request;
  request.step = Change::Request{};
  request.row = 1;
  request.name = "a";
  request.wanted.owner = {1234, 5678};
  receiver_->expect(request);
  EXPECT_EQ(send({whole(1, "x")}, "x"), "");
  EXPECT_THAT(finish().failures, ElementsAre("a: set owner: Operation not permitted"));
}

TEST_P(ReceiverTest, StagesBesideTheTargetOnAnotherDevice) {
  mirror_.mount("d", {.type_name = "other"});
  expect(1, "d/a");
  EXPECT_EQ(send({whole(1, "one")}, "one"), "");
  expect(2, "d/b");
  EXPECT_EQ(send({piece(2, 0, "tw")}, "tw"), "");
  wire::Segment last = piece(2, 2, "o");
  last.last = true;
  last.ending = whole(2, "two").ending;
  EXPECT_EQ(send({last}, "o"), "");
  const Events events = finish();
  EXPECT_THAT(events.failures, IsEmpty());
  EXPECT_EQ(tree(), "d dir -\nold file 11 \"old content\"\nd/a file 3 \"one\"\nd/b file 3 \"two\"\n");
  EXPECT_EQ(mirror_.stat("d/b").seen.values.mtime, kMtime);
}

TEST_P(ReceiverTest, StopEndsEverythingAndLeavesNoName) {
  expect(1, "a");
  expect(2, "b");
  EXPECT_EQ(send({piece(1, 0, "abc")}, "abc"), "");
  receiver_->stop();
  static_cast<void>(drain());
  receiver_.reset();
  EXPECT_TRUE(staging_.remove());
  EXPECT_EQ(mirror_.dump(kNames), "d dir -\nold file 11 \"old content\"\n");
}

TEST_P(ReceiverTest, FinishWithNothingExpectedClosesTheEvents) {
  start();
  EXPECT_THAT(finish().published, IsEmpty());
}

TEST(ReceiverDurableTest, FlushesBeforeAndAfterEachBatchOfNames) {
  FakeTree mirror;
  fs::Staging staging(mirror);
  BoundedQueue<ReceiveEvent> events(100);
  Receiver receiver(mirror, staging, {.writers = 1, .durable = Durable::yes}, events);
  for (RowId row = 1; row <= 2; ++row) {
    Change request;
    request.step = Change::Request{};
    request.row = row;
    request.name = std::to_string(row);
    receiver.expect(std::move(request));
  }
  ASSERT_TRUE(receiver.accept(head_of({whole(1, "a"), whole(2, "b")}), payload_of("ab")));
  receiver.finish();
  while (events.pop()) {
  }
  const std::vector<std::string> changes = mirror.changes();
  EXPECT_THAT(std::vector(changes.end() - 4, changes.end()),
              ElementsAre("sync", HasSubstr("-> 1"), HasSubstr("-> 2"), "sync"));
}

TEST(ReceiverDurableTest, APowerCutAfterPublishedLosesNothing) {
  FakeTree mirror({file("a", "old")});
  fs::Staging staging(mirror);
  BoundedQueue<ReceiveEvent> events(100);
  Receiver receiver(mirror, staging, {.durable = Durable::yes}, events);
  Change request;
  request.step = Change::Request{};
  request.row = 1;
  request.name = "a";
  request.at_path = mirror.stat("a").seen;
  receiver.expect(std::move(request));
  ASSERT_TRUE(receiver.accept(head_of({whole(1, "new")}), payload_of("new")));
  receiver.finish();
  while (events.pop()) {
  }
  mirror.lose_unsynced();
  EXPECT_EQ(mirror.read("a"), "new");
}

}  // namespace
}  // namespace ssync::transfer
