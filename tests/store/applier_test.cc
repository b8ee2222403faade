#include "ssync/store/applier.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/changes.h"
#include "ssync/support/fake_tree.h"

namespace ssync::store {
namespace {

using support::change_from;
using support::dir;
using support::FakeOp;
using support::FakeTree;
using support::file;
using support::hard_link;
using support::link;

constexpr support::DumpOptions kNames{.mtime = false, .mode = false, .root = false, .staging = false};
constexpr FileTime kLater{1'700'000'001, 42};

Values values(std::uint64_t size, std::uint16_t mode = 0640, FileTime mtime = kLater) {
  return {Kind::file, mode, size, mtime, {}};
}

class ApplierTest : public testing::Test {
 protected:
  std::string apply(const Change& change) {
    const Result<Applied> applied = applier_.apply(change, {});
    if (!applied) return applied.error().text();
    if (applied->state == Applied::State::stale) return "stale";
    return applied->state == Applied::State::done ? "done" : applied->problem.text;
  }
  /// At `path` now, with what the mirror has there.
  Change change(Op op, std::string_view path, Values wanted = {}) {
    Change made;
    made.step = support::step_of(op);
    made.location = split(path).location;
    made.name = split(path).name;
    made.wanted = wanted;
    if (path.empty() || mirror_.exists(path)) made.at_path = mirror_.stat(path).seen;
    return made;
  }
  Change from(Op op, std::string_view old_path, std::string_view path, Values wanted) {
    return change_from(op, old_path, path, wanted, mirror_);
  }
  std::string tree() { return mirror_.dump(kNames); }

  FakeTree mirror_{
      std::vector<support::Node>{file("a", "content a"), file("b", "bb"), dir("d", file("c", "in d"))}};
  fs::Staging staging_{mirror_};
  Applier applier_{mirror_, staging_, {.durable = Durable::no}};
};

constexpr const char* kChanged = "it changed on the mirror meanwhile; the next sync looks again";
constexpr const char* kAppeared =
    "something is in its place on the mirror that came meanwhile or could not be removed; the next sync "
    "looks again";

TEST_F(ApplierTest, RemovesTheSpecialEntryThatTheScanSawAndNoOther) {
  mirror_.add(support::special("fifo"));
  const Change remove = change(Op::remove, "fifo");
  mirror_.add(support::special("fifo"));  // another inode
  EXPECT_EQ(apply(remove), kChanged);
  EXPECT_EQ(apply(change(Op::remove, "fifo")), "done");
  EXPECT_FALSE(mirror_.exists("fifo"));
}

TEST_F(ApplierTest, MakesDirectoriesLinksAndEmptyFiles) {
  Change to_link = change(Op::make_link, "n/l", {Kind::symlink, 0, 0, kLater, {}});
  std::get<Change::MakeLink>(to_link.step).target = "../a";
  EXPECT_EQ(apply(change(Op::make_directory, "n", {Kind::directory, 02550, 0, kLater, {}})), "done");
  EXPECT_EQ(apply(to_link), "done");
  EXPECT_EQ(apply(change(Op::make_empty, "n/e", values(0, 06755))), "done");
  EXPECT_EQ(mirror_.stat("n").seen.values.mode, 0750);  // writable until the last pass
  EXPECT_EQ(mirror_.stat("n/e").seen.values.mode, 06755);
  EXPECT_EQ(mirror_.stat("n/e").seen.values.mtime, kLater);
  EXPECT_EQ(mirror_.stat("n/l").seen.values.mtime, kLater);
  EXPECT_FALSE(staging_.exists());
}

TEST_F(ApplierTest, NeverReplacesWhatThePlanDidNotSee) {
  const Change empty = change(Op::make_empty, "new", values(0));
  const Change directory = change(Op::make_directory, "new", {});
  Change to_link = change(Op::make_link, "new", {Kind::symlink, 0, 0, kLater, {}});
  std::get<Change::MakeLink>(to_link.step).target = "x";
  const Change copy = from(Op::copy, "a", "new", values(9));
  const Change rename = from(Op::rename, "a", "new", values(9));
  mirror_.add(file("new", "somebody's"));
  for (const Change& one : {empty, directory, to_link, copy, rename})
    EXPECT_EQ(apply(one), kAppeared);
  EXPECT_EQ(mirror_.read("new"), "somebody's");
  EXPECT_EQ(mirror_.read("a"), "content a");
}

TEST_F(ApplierTest, ReplacesAFileByALinkAndALinkByAnEmptyFile) {
  Change to_link = change(Op::make_link, "a", {Kind::symlink, 0, 0, kLater, {}});
  std::get<Change::MakeLink>(to_link.step).target = "b";
  EXPECT_EQ(apply(to_link), "done");
  EXPECT_EQ(tree(), "a link - -> b\nb file 2 \"bb\"\nd dir -\nd/c file 4 \"in d\"\n");
  EXPECT_EQ(apply(change(Op::make_empty, "a", values(0))), "done");
  EXPECT_EQ(tree(), "a file 0 \"\"\nb file 2 \"bb\"\nd dir -\nd/c file 4 \"in d\"\n");
}

TEST_F(ApplierTest, CopiesWithTheWantedAttributes) {
  EXPECT_EQ(apply(from(Op::copy, "a", "d/copy", values(9, 04711))), "done");
  EXPECT_EQ(mirror_.read("d/copy"), "content a");
  EXPECT_EQ(mirror_.stat("d/copy").seen.values.mode, 04711);
  EXPECT_EQ(mirror_.stat("d/copy").seen.values.mtime, kLater);
  EXPECT_EQ(mirror_.read("a"), "content a");
}

TEST_F(ApplierTest, ACopyOfAnEditedFileIsStale) {
  const Change copy = from(Op::copy, "a", "new", values(9));
  const Change rename = from(Op::rename, "a", "new", values(9));
  const Change stage = from(Op::stage_rename, "a", "new", values(9));
  const Change exchange = from(Op::exchange, "a", "b", values(9));
  mirror_.tick();
  mirror_.write("a", "content x");
  for (const Change& one : {copy, rename, stage, exchange})
    EXPECT_EQ(apply(one), "stale");
  mirror_.erase("a");
  for (const Change& one : {copy, rename, stage, exchange})
    EXPECT_EQ(apply(one), "stale");
  EXPECT_EQ(tree(), "b file 2 \"bb\"\nd dir -\nd/c file 4 \"in d\"\n");
}

TEST_F(ApplierTest, AFileEditedWhileItIsCopiedIsStale) {
  const Change copy = from(Op::copy, "a", "new", values(9));
  mirror_.on_operation([this](const support::FakeOperation& operation) {
    if (operation.op != FakeOp::copy) return;
    mirror_.tick();
    mirror_.write("a", "content x");
  });
  EXPECT_EQ(apply(copy), "stale");
  EXPECT_FALSE(mirror_.exists("new"));
}

TEST_F(ApplierTest, InterruptsACopy) {
  const Result<Applied> applied =
      applier_.apply(from(Op::copy, "a", "new", values(9)), [](std::uint64_t) { return false; });
  EXPECT_EQ(applied.error().code, Errc::interrupted);
  EXPECT_FALSE(mirror_.exists("new"));
}

TEST_F(ApplierTest, RenamesOverWhatThePlanSaw) {
  EXPECT_EQ(apply(from(Op::rename, "a", "d/c", values(9, 0600))), "done");
  EXPECT_EQ(tree(), "b file 2 \"bb\"\nd dir -\nd/c file 9 \"content a\"\n");
  EXPECT_EQ(mirror_.stat("d/c").seen.values.mode, 0600);
}

TEST_F(ApplierTest, RenamesAWholeDirectoryAndGoesOnBelowItsNewPath) {
  EXPECT_EQ(apply(from(Op::rename, "d/c", "d/e", values(4))), "done");  // has a handle on d
  EXPECT_EQ(apply(from(Op::rename_directory, "d", "moved", {Kind::directory, 0755, 0, kLater, {}})), "done");
  EXPECT_EQ(apply(from(Op::copy, "moved/e", "moved/f", values(4))), "done");
  EXPECT_EQ(tree(),
            "a file 9 \"content a\"\nb file 2 \"bb\"\nmoved dir -\nmoved/e file 4 \"in d\"\nmoved/f file 4 "
            "\"in d\"\n");
}

TEST_F(ApplierTest, ExchangesTwoFiles) {
  for (const bool supported : {true, false}) {
    mirror_.set_limits({.exchange = supported});
    Change swap = from(Op::exchange, "a", "b", values(mirror_.stat("a").seen.values.size, 0600));
    std::get<Change::Exchange>(swap.step).other = {7, values(mirror_.stat("b").seen.values.size, 0604),
                                                   std::nullopt};
    EXPECT_EQ(apply(swap), "done");
    EXPECT_EQ(mirror_.stat("b").seen.values.mode, 0600);
    EXPECT_EQ(mirror_.stat("a").seen.values.mode, 0604);
    EXPECT_EQ(mirror_.read("a") + mirror_.read("b"), supported ? "bbcontent a" : "content abb");
  }
}

TEST_F(ApplierTest, RotatesByExchanges) {
  for (const bool supported : {true, false}) {
    mirror_.add(file("a", "content a"));
    mirror_.add(file("b", "bb"));
    mirror_.add(file("c", "in d"), "d");
    mirror_.set_limits({.exchange = supported});
    Change first = from(Op::exchange, "a", "b", values(9));
    Change second = from(Op::exchange, "d/c", "a", values(4));
    second.at_path = mirror_.stat("b").seen;
    std::get<Change::Exchange>(second.step).other = {7, values(2, 0604), std::nullopt};
    EXPECT_EQ(apply(first), "done");
    EXPECT_EQ(apply(second), "done");
    EXPECT_EQ(tree(), "a file 4 \"in d\"\nb file 9 \"content a\"\nd dir -\nd/c file 2 \"bb\"\n");
    EXPECT_EQ(mirror_.stat("d/c").seen.values.mode, 0604);
  }
}

TEST_F(ApplierTest, ARingIsNeverWithoutAName) {
  Change first = from(Op::exchange, "a", "b", values(9));
  Change second = from(Op::exchange, "d/c", "a", values(4));
  second.at_path = mirror_.stat("b").seen;
  std::get<Change::Exchange>(second.step).other = {7, values(2), std::nullopt};
  mirror_.on_operation([this](const support::FakeOperation&) {
    for (const char* name : {"a", "b", "d/c"})
      EXPECT_TRUE(mirror_.exists(name)) << name;
  });
  EXPECT_EQ(apply(first), "done");
  EXPECT_EQ(apply(second), "done");
}

TEST(ApplierCaseTest, AFileADirectoryAndALinkGetOtherLetters) {
  FakeTree mirror({dir("dir", file("x", "in dir")), file("file", "content"), link("link", "target")},
                  {.case_sensitive = false});
  fs::Staging staging(mirror);
  Applier applier(mirror, staging, {.durable = Durable::no});
  const auto apply = [&](const Change& change) { return applier.apply(change, {}).value().state; };
  Change directory =
      change_from(Op::rename_directory, "dir", "Dir", {Kind::directory, 0755, 0, kLater, {}}, mirror);
  Change content_too = change_from(Op::rename, "link", "LINK", {Kind::symlink, 0, 0, kLater, {}}, mirror);
  Change content_stays = change_from(Op::rename, "file", "File", values(7), mirror);
  std::get<Change::Rename>(content_too.step).respells = true;
  for (Change* change : {&directory, &content_too, &content_stays}) {
    change->at_path.reset();
    EXPECT_EQ(apply(*change), Applied::State::done);
  }
  EXPECT_EQ(mirror.dump(kNames),
            "Dir dir -\nFile file 7 \"content\"\nLINK link - -> target\nDir/x file 6 \"in dir\"\n");
  EXPECT_EQ(mirror.stat("File").seen.values.mode, 0640);
}

TEST(ApplierCaseTest, AnotherEntryInOtherLettersIsNotReplaced) {
  FakeTree mirror({file("file", "content"), file("other", "somebody's")}, {.case_sensitive = false});
  fs::Staging staging(mirror);
  Applier applier(mirror, staging, {.durable = Durable::no});
  Change change = change_from(Op::rename, "file", "Other", values(7), mirror);
  change.at_path.reset();
  EXPECT_EQ(applier.apply(change, {}).value().problem.text, kAppeared);
  EXPECT_EQ(mirror.dump(kNames), "file file 7 \"content\"\nother file 10 \"somebody's\"\n");
}

TEST_F(ApplierTest, RotatesThroughStaging) {
  EXPECT_EQ(apply(from(Op::stage_rename, "a", "b", values(9))), "done");
  EXPECT_EQ(apply(from(Op::rename, "d/c", "a", values(4))), "done");
  EXPECT_EQ(apply(from(Op::rename, "b", "d/c", values(2))), "done");
  EXPECT_EQ(apply(change(Op::publish_staged, "b", values(9, 0604))), "done");
  EXPECT_EQ(tree(), "a file 4 \"in d\"\nb file 9 \"content a\"\nd dir -\nd/c file 2 \"bb\"\n");
  EXPECT_EQ(mirror_.stat("b").seen.values.mode, 0604);
}

TEST_F(ApplierTest, PublishesAStagedCopyOverAFile) {
  EXPECT_EQ(apply(from(Op::stage_copy, "a", "b", values(9))), "done");
  EXPECT_EQ(apply(change(Op::remove, "a")), "done");
  EXPECT_EQ(apply(change(Op::publish_staged, "b", values(9))), "done");
  EXPECT_EQ(tree(), "b file 9 \"content a\"\nd dir -\nd/c file 4 \"in d\"\n");
}

TEST_F(ApplierTest, WhatWasNeverStagedIsStale) {
  EXPECT_EQ(apply(change(Op::publish_staged, "b", values(2))), "stale");
}

TEST_F(ApplierTest, RemovesOnlyWhatThePlanSaw) {
  const Change remove = change(Op::remove, "a");
  mirror_.add(file("a", "somebody's"));
  EXPECT_EQ(apply(remove), kChanged);
  EXPECT_EQ(mirror_.read("a"), "somebody's");
  EXPECT_EQ(apply(change(Op::remove, "b")), "done");
  EXPECT_FALSE(mirror_.exists("b"));
}

TEST_F(ApplierTest, WhatIsGoneAlreadyNeedsNoRemoval) {
  const Change remove = change(Op::remove, "a");
  mirror_.erase("a");
  EXPECT_EQ(apply(remove), "done");
}

TEST_F(ApplierTest, ADirectoryThatIsNotEmptyIsAProblem) {
  EXPECT_EQ(apply(change(Op::remove_directory, "d")),
            "remove directory: Directory not empty: something in it could not be removed, came meanwhile, or "
            "is mounted below");
  EXPECT_EQ(apply(change(Op::remove, "d/c")), "done");
  EXPECT_EQ(apply(change(Op::remove_directory, "d")), "done");
  EXPECT_FALSE(mirror_.exists("d"));
}

TEST_F(ApplierTest, SetsMetadataOfFilesDirectoriesAndTheRoot) {
  EXPECT_EQ(apply(change(Op::set_metadata, "a", values(9, 0600))), "done");
  EXPECT_EQ(apply(change(Op::set_metadata, "d", {Kind::directory, 0500, 0, kLater, {}})), "done");
  EXPECT_EQ(apply(change(Op::set_metadata, "", {Kind::directory, 0700, 0, kLater, {}})), "done");
  EXPECT_EQ(mirror_.stat("a").seen.values.mode, 0600);
  EXPECT_EQ(mirror_.stat("d").seen.values.mode, 0500);
  EXPECT_EQ(mirror_.stat("").seen.values.mtime, kLater);
}

TEST_F(ApplierTest, SetsOnlyWhatDiffers) {
  Values same = mirror_.stat("a").seen.values;
  same.mode = 0600;
  mirror_.clear_operations();
  EXPECT_EQ(apply(change(Op::set_metadata, "a", same)), "done");
  EXPECT_THAT(mirror_.changes(), testing::ElementsAre("set_mode a"));
}

TEST_F(ApplierTest, KeepsTheTimeOfAFileThatWasEditedMeanwhile) {
  const Change metadata = change(Op::set_metadata, "a", values(9));
  mirror_.tick();
  mirror_.write("a", "edited ok");
  EXPECT_EQ(apply(metadata), kChanged);
  EXPECT_EQ(mirror_.stat("a").seen.values.mtime, mirror_.clock());
}

TEST_F(ApplierTest, OnlyRecordsWhenAskedTo) {
  Change record = change(Op::set_metadata, "a", values(9));
  record.step = Change::SetMetadata{.purpose = Change::SetMetadata::Purpose::record};
  mirror_.clear_operations();
  EXPECT_EQ(apply(record), "done");
  EXPECT_EQ(mirror_.change_count(), 0U);
}

TEST_F(ApplierTest, BreaksAHardLinkBeforeItTouchesAttributes) {
  mirror_.add(hard_link("snapshot", "a"));
  const auto before = mirror_.stat("snapshot").seen.values;
  EXPECT_EQ(apply(change(Op::set_metadata, "a", values(9, 0600))), "done");
  EXPECT_EQ(mirror_.stat("snapshot").seen.values, before);
  EXPECT_EQ(mirror_.stat("a").seen.values.mode, 0600);
  EXPECT_EQ(mirror_.read("a"), "content a");
}

TEST_F(ApplierTest, ARenameOfAHardLinkLeavesTheOtherNameAsItWas) {
  mirror_.add(hard_link("snapshot", "a"));
  const auto before = mirror_.stat("snapshot").seen.values;
  EXPECT_EQ(apply(from(Op::rename, "a", "new", values(9, 0600))), "done");
  EXPECT_EQ(mirror_.stat("snapshot").seen.values, before);
  EXPECT_EQ(mirror_.stat("new").seen.values.mode, 0600);
  EXPECT_FALSE(mirror_.exists("a"));
}

TEST_F(ApplierTest, ARenameOverAnotherNameOfTheSameFileRemovesTheOldName) {
  mirror_.add(hard_link("same", "a"));
  EXPECT_EQ(apply(from(Op::rename, "a", "same", mirror_.stat("a").seen.values)), "done");
  EXPECT_EQ(tree(), "b file 2 \"bb\"\nd dir -\nsame file 9 \"content a\"\nd/c file 4 \"in d\"\n");
}

TEST_F(ApplierTest, MovesToAnotherDeviceByCopying) {
  mirror_.mount("d", {.type_name = "other"});
  EXPECT_EQ(apply(from(Op::rename, "a", "d/a", values(9))), "done");
  EXPECT_EQ(apply(from(Op::stage_rename, "d/c", "c", values(4))), "done");
  EXPECT_EQ(apply(change(Op::publish_staged, "c", values(4))), "done");
  EXPECT_EQ(tree(), "b file 2 \"bb\"\nc file 4 \"in d\"\nd dir -\nd/a file 9 \"content a\"\n");
}

TEST_F(ApplierTest, ExchangesAcrossDevicesByCopying) {
  mirror_.mount("d", {.type_name = "other"});
  Change change = from(Op::exchange, "a", "d/c", values(9));
  std::get<Change::Exchange>(change.step).other = {7, values(4), std::nullopt};
  EXPECT_EQ(apply(change), "done");
  EXPECT_EQ(tree(), "a file 4 \"in d\"\nb file 2 \"bb\"\nd dir -\nd/c file 9 \"content a\"\n");
}

TEST_F(ApplierTest, SaysWhichStepFailed) {
  mirror_.fail_at(FakeOp::set_mode, "a", EPERM);
  EXPECT_EQ(apply(change(Op::set_metadata, "a", values(9))), "set mode: Operation not permitted");
  mirror_.fail_at(FakeOp::remove, "b", EROFS);
  EXPECT_EQ(apply(change(Op::remove, "b")), "remove: Read-only file system");
}

TEST_F(ApplierTest, AnyFailedChangeOfACopyLeavesThePathAsItWas) {
  for (std::uint64_t n = 1;; ++n) {
    FakeTree mirror({file("a", "content a"), file("b", "bb")});
    fs::Staging staging(mirror);
    Applier applier(mirror, staging, {.durable = Durable::no});
    const Change copy = change_from(Op::copy, "a", "b", values(9), mirror);
    mirror.fail_nth(n, ENOSPC);
    const Applied applied = applier.apply(copy, {}).value();
    EXPECT_EQ(mirror.read("b"), applied.state == Applied::State::done ? "content a" : "bb") << n;
    if (mirror.change_count() < n) return;
  }
}

}  // namespace
}  // namespace ssync::store
