// Copies made on the mirror when the disk is waited for: staged, flushed, named, flushed, told.
#include <cerrno>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/store/applier.h"
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
using support::Node;
using testing::ElementsAre;
using State = Applied::State;

constexpr FileTime kLater{1'700'000'001, 42};

Values values(std::uint64_t size, std::uint16_t mode = 0640) {
  return {Kind::file, mode, size, kLater, {}};
}

std::vector<Node> some_files() {
  return {file("a", "content a"), file("b", "bb"), hard_link("b2", "b"), file("c", "cccc"),
          dir("d", file("e", "in d"))};
}

Change metadata(FakeTree& mirror, std::string_view path) {
  Change change;
  change.step = Change::SetMetadata{};
  change.location = split(path).location;
  change.name = split(path).name;
  change.at_path = mirror.stat(path).seen;
  change.wanted = values(change.at_path->values.size, 0600);
  return change;
}

Change removal(FakeTree& mirror, std::string_view path) {
  Change change = metadata(mirror, path);
  change.step = Change::Remove{};
  return change;
}

/// Carries changes out one after the other and keeps what became of each.
struct Steps {
  explicit Steps(FakeTree& mirror, Applier::Options options = {})
      : staging(mirror), applier(mirror, staging, options) {}

  State apply(const Change& change) {
    const Applied applied = applier.apply(change, {}).value();
    take();
    if (applied.state == State::done) told.insert(join(change.path()));
    return applied.state;
  }
  void name_copies() {
    applier.name_copies();
    take();
  }
  void take() {
    for (const Applier::Ended& one : applier.take_ended()) {
      if (one.applied.state == State::done) told.insert(join(one.change.path()));
      if (one.applied.state == State::problem) problems.push_back(one.applied.problem.text);
    }
  }

  fs::Staging staging;
  Applier applier;
  std::set<std::string> told;
  std::vector<std::string> problems;
};

TEST(DurableCopyTest, NamesCopiesTogetherBetweenTwoFlushes) {
  FakeTree mirror(some_files());
  Steps run(mirror);
  EXPECT_EQ(run.apply(change_from(Op::copy, "a", "x", values(9), mirror)), State::waits);
  EXPECT_EQ(run.apply(change_from(Op::copy, "a", "y", values(9), mirror)), State::waits);
  EXPECT_EQ(run.apply(metadata(mirror, "b")), State::waits);  // gets a copy of its own
  EXPECT_FALSE(mirror.exists("x"));
  mirror.clear_operations();
  run.name_copies();
  EXPECT_THAT(mirror.changes(),
              ElementsAre("sync", "rename .server-sync.*/0 -> x", "rename .server-sync.*/1 -> y",
                          "rename .server-sync.*/2 -> b", "sync"));
  EXPECT_THAT(run.told, ElementsAre("b", "x", "y"));
  EXPECT_EQ(mirror.read("b"), "bb");
  EXPECT_EQ(mirror.stat("b").seen.links, 1U);
}

TEST(DurableCopyTest, ALargeBatchDoesNotWait) {
  FakeTree mirror(some_files());
  Steps run(mirror, {.batch_files = 2});
  run.apply(change_from(Op::copy, "a", "x", values(9), mirror));
  run.apply(change_from(Op::copy, "a", "y", values(9), mirror));
  EXPECT_THAT(run.told, ElementsAre("x", "y"));
  Steps by_bytes(mirror, {.batch_bytes = 9});
  by_bytes.apply(change_from(Op::copy, "a", "z", values(9), mirror));
  EXPECT_THAT(by_bytes.told, ElementsAre("z"));
}

TEST(DurableCopyTest, NothingIsDeletedBeforeItsCopyIsOnDisk) {
  FakeTree mirror(some_files());
  Steps run(mirror);
  const Change gone = removal(mirror, "a");
  run.apply(change_from(Op::copy, "a", "x", values(9), mirror));
  EXPECT_EQ(run.apply(gone), State::done);
  EXPECT_THAT(run.told, ElementsAre("a", "x"));
  mirror.lose_unsynced();
  EXPECT_EQ(mirror.read("x"), "content a");
}

TEST(DurableCopyTest, WhatAMovedFileLeavesIsFreeForTheNext) {
  FakeTree mirror(some_files());
  Steps run(mirror);
  const Change refill = change_from(Op::rename, "c", "b", values(4), mirror);
  // One of two names, with other attributes: moved by copying.
  EXPECT_EQ(run.apply(change_from(Op::rename, "b", "x", values(2, 0600), mirror)), State::waits);
  Change onto_free = refill;
  onto_free.at_path.reset();
  EXPECT_EQ(run.apply(onto_free), State::done);
  EXPECT_EQ(mirror.read("x"), "bb");
  EXPECT_EQ(mirror.read("b"), "cccc");
}

TEST(DurableCopyTest, WhatWasStagedForLaterIsFlushedOnce) {
  FakeTree mirror(some_files());
  Steps run(mirror);
  const Change first = change_from(Op::stage_copy, "a", "x", values(9), mirror);
  const Change second = change_from(Op::stage_copy, "c", "y", values(4), mirror);
  EXPECT_EQ(run.apply(first), State::done);
  EXPECT_EQ(run.apply(second), State::done);
  mirror.clear_operations();
  EXPECT_EQ(run.apply(change_from(Op::publish_staged, "", "x", values(9), mirror)), State::done);
  EXPECT_EQ(run.apply(change_from(Op::publish_staged, "", "y", values(4), mirror)), State::done);
  EXPECT_THAT(mirror.changes(),
              ElementsAre("sync", "rename .server-sync.*/0 -> x", "rename .server-sync.*/1 -> y"));
}

TEST(DurableCopyTest, AFlushThatFailsIsAProblemOfEachAndLeavesNoName) {
  FakeTree mirror(some_files());
  Steps run(mirror);
  run.apply(change_from(Op::copy, "a", "x", values(9), mirror));
  run.apply(change_from(Op::copy, "a", "c", values(9), mirror));
  mirror.fail_nth(FakeOp::sync, 1, EIO);
  run.name_copies();
  EXPECT_THAT(run.problems, ElementsAre("flush: Input/output error", "flush: Input/output error"));
  EXPECT_FALSE(mirror.exists("x"));
  EXPECT_EQ(mirror.read("c"), "cccc");
}

struct Cut {
  void (FakeTree::*lose)();
  const char* name;
};

class CopyPowerCutTest : public testing::TestWithParam<Cut> {};

INSTANTIATE_TEST_SUITE_P(Loses, CopyPowerCutTest,
                         testing::Values(Cut{&FakeTree::lose_unsynced, "All"},
                                         Cut{&FakeTree::lose_unsynced_content, "Content"}),
                         [](const auto& with) { return with.param.name; });

// New names, names that had something else, one of two names, an exchange with such a name, staged for later.
void run_all(FakeTree& mirror, Steps& run) {
  const std::vector<Change> changes = {
      change_from(Op::stage_copy, "a", "later", values(9), mirror),
      change_from(Op::copy, "a", "d/e", values(9), mirror),
      change_from(Op::copy, "c", "new", values(4), mirror),
      metadata(mirror, "b"),
      change_from(Op::publish_staged, "", "later", values(9), mirror),
  };
  for (const Change& change : changes)
    run.apply(change);
  run.name_copies();
}

std::string half(FakeTree& mirror, std::string_view path, std::string_view before, std::string_view after) {
  if (!mirror.exists(path)) return before.empty() ? "" : std::string(path) + " is gone";
  const std::string now = mirror.read(path);
  return now == before || now == after ? "" : std::string(path) + " has \"" + now + "\"";
}

TEST_P(CopyPowerCutTest, AtAnyChangeLeavesEachNameOldOrNew) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("cut at change " + std::to_string(n));
    FakeTree mirror(some_files());
    Steps run(mirror);
    mirror.fail_from(n, EIO);
    run_all(mirror, run);
    const bool all = mirror.change_count() < n;
    mirror.clear_failures();
    (mirror.*GetParam().lose)();
    EXPECT_EQ(half(mirror, "a", "content a", "content a"), "");
    EXPECT_EQ(half(mirror, "b", "bb", "bb"), "");
    EXPECT_EQ(half(mirror, "b2", "bb", "bb"), "");
    EXPECT_EQ(half(mirror, "d/e", "in d", "content a"), "");
    EXPECT_EQ(half(mirror, "new", "", "cccc"), "");
    EXPECT_EQ(half(mirror, "later", "", "content a"), "");
    if (HasFailure() || all) break;
  }
}

// The two halves of an exchange, when what comes has other names.
TEST_P(CopyPowerCutTest, AtAnyChangeLeavesEachHalfOfAnExchangeOldOrNew) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("cut at change " + std::to_string(n));
    FakeTree mirror(some_files());
    Steps run(mirror);
    Change change = change_from(Op::exchange, "b", "c", values(2, 0600), mirror);
    std::get<Change::Exchange>(change.step).other = {7, values(4, 0600), std::nullopt};
    mirror.fail_from(n, EIO);
    run.apply(change);
    const bool all = mirror.change_count() < n;
    mirror.clear_failures();
    (mirror.*GetParam().lose)();
    EXPECT_EQ(half(mirror, "b", "bb", "cccc"), "");
    EXPECT_EQ(half(mirror, "c", "cccc", "bb"), "");
    if (HasFailure() || all) break;
  }
}

}  // namespace
}  // namespace ssync::store
