// When a plan is held up because it deletes too much.
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drive.h"

namespace ssync::planner::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct GuardCase {
  std::string name;
  std::uint64_t deletes, mirror, source;
  bool synced;
  std::optional<std::uint64_t> client, server;
  Guard guard;
};

// Instead of the bytes, padding included, that GoogleTest would print.
void PrintTo(const GuardCase& given, std::ostream* out) {
  *out << given.name;
}

class CheckGuard : public testing::TestWithParam<GuardCase> {};

TEST_P(CheckGuard, Decides) {
  const GuardCase& given = GetParam();
  PlanTotals totals;
  totals.deletes = given.deletes;
  totals.mirror_entries = given.mirror;
  totals.source_entries = given.source;
  Options options;
  options.mirror_synced_before = given.synced;
  options.client_max_delete = given.client;
  options.server_max_delete = given.server;
  EXPECT_EQ(check_guard(totals, Losses{}, options), given.guard);
}

const std::optional<std::uint64_t> kNone;

INSTANTIATE_TEST_SUITE_P(
    Numbers, CheckGuard,
    testing::Values(GuardCase{"FewAreFree", 99, 99, 0, false, kNone, kNone, Guard::none},
                    GuardCase{"HalfIsFree", 100, 200, 100, true, kNone, kNone, Guard::none},
                    GuardCase{"OverHalf", 101, 200, 99, true, kNone, kNone, Guard::over_half},
                    GuardCase{"OddHalf", 100, 199, 99, true, kNone, kNone, Guard::over_half},
                    GuardCase{"SourceEmpty", 100, 100, 0, true, kNone, kNone, Guard::source_empty},
                    GuardCase{"NeverSynced", 100, 1000, 900, false, kNone, kNone, Guard::never_synced},
                    GuardCase{"LiftedByEnough", 100, 100, 0, false, 100, kNone, Guard::none},
                    GuardCase{"NotLiftedByLess", 101, 110, 9, true, 100, kNone, Guard::over_half},
                    GuardCase{"WithheldByClient", 3, 100, 97, true, 2, kNone, Guard::max_delete},
                    GuardCase{"WithheldByServer", 3, 100, 97, true, kNone, 2, Guard::max_delete},
                    GuardCase{"ClientCannotLiftServer", 3, 100, 97, true, 1000, 2, Guard::max_delete},
                    GuardCase{"GuardsComeFirst", 101, 110, 9, true, kNone, 2, Guard::over_half},
                    GuardCase{"ServerCapAfterLift", 101, 110, 9, true, 101, 2, Guard::max_delete},
                    GuardCase{"ZeroAllowsNone", 1, 100, 97, true, 0, kNone, Guard::max_delete},
                    GuardCase{"NoDeletesNoGuard", 0, 100, 0, false, 0, 0, Guard::none}),
    [](const auto& given) { return given.param.name; });

// By entries, bytes and places: 1000 entries and 1000 bytes on the mirror, in 4 places.
struct LossCase {
  std::string name;
  std::uint64_t deletes, bytes, places_lost;
  Losses losses;
  Guard guard;
};

void PrintTo(const LossCase& given, std::ostream* out) {
  *out << given.name;
}

class CheckLosses : public testing::TestWithParam<LossCase> {};

TEST_P(CheckLosses, Decides) {
  const LossCase& given = GetParam();
  PlanTotals totals;
  totals.source_entries = totals.mirror_entries = totals.mirror_bytes = 1000;
  totals.places = 4;
  totals.deletes = given.deletes;
  totals.delete_bytes = given.bytes;
  totals.places_lost = given.places_lost;
  Options options;
  options.mirror_synced_before = true;
  EXPECT_EQ(check_guard(totals, given.losses, options), given.guard);
}

Losses coming(std::uint64_t entries, std::uint64_t bytes) {
  return {.new_entries = entries, .new_bytes = bytes};
}
Losses removed(std::uint64_t entries) {
  return {.removed_entries = entries};
}
Losses emptied(std::uint64_t entries, std::uint64_t bytes) {
  return {.emptied_entries = entries, .emptied_bytes = bytes};
}

INSTANTIATE_TEST_SUITE_P(
    Measures, CheckLosses,
    testing::Values(LossCase{"HalfOfEverythingGoesOn", 500, 500, 0, {}, Guard::none},
                    LossCase{"MoreIsHeld", 501, 501, 0, {}, Guard::over_half},
                    LossCase{"MostEntriesOutOfStandingPlacesAreHeld", 900, 10, 0, {}, Guard::over_half},
                    LossCase{"MostBytesInFewEntriesGoOn", 200, 990, 0, {}, Guard::none},
                    LossCase{"AsManyComeAsGo", 900, 900, 0, coming(900, 900), Guard::none},
                    LossCase{"HalfAsManyComeAsGo", 900, 900, 0, coming(450, 30), Guard::none},
                    LossCase{"FewerCome", 900, 900, 0, coming(100, 10), Guard::over_half},
                    LossCase{"Packed", 900, 900, 0, coming(2, 45), Guard::none},
                    LossCase{"TooLittleForAPack", 900, 900, 0, coming(2, 44), Guard::over_half},
                    LossCase{"EmptyFilesAreNoPack", 900, 10, 0, coming(2, 0), Guard::over_half},
                    LossCase{"AWholePlaceOfSmallFilesGoesOn", 900, 400, 1, removed(900), Guard::none},
                    LossCase{"AWholePlaceWithMostBytesIsHeld", 900, 600, 1, removed(900), Guard::over_half},
                    LossCase{"MostPlacesWithMostEntries", 600, 10, 3, removed(600), Guard::over_half},
                    LossCase{"MostPlacesWithMostBytes", 100, 600, 3, removed(100), Guard::over_half},
                    LossCase{"MostPlacesWithLittleInThem", 400, 400, 3, removed(400), Guard::none},
                    LossCase{"HalfOfThePlaces", 600, 10, 2, removed(600), Guard::none},
                    LossCase{"AnEmptiedPlaceByEntries", 251, 0, 1, emptied(251, 0), Guard::over_half},
                    LossCase{"AnEmptiedPlaceByBytes", 100, 251, 1, emptied(100, 251), Guard::over_half},
                    LossCase{"ASmallOneGoesOn", 250, 250, 1, emptied(250, 250), Guard::none},
                    LossCase{"NothingMakesUpForAnEmptiedPlace", 300, 300, 1,
                             Losses{.new_entries = 500, .new_bytes = 500, .emptied_entries = 300},
                             Guard::over_half},
                    LossCase{"FewAreFree", 99, 1000, 4, emptied(99, 1000), Guard::none}),
    [](const auto& given) { return given.param.name; });

TEST(PlannerGuard, AnEmptySourceChangesNothing) {
  Tree mirror;
  for (int i = 0; i < 100; ++i)
    mirror.file("f" + std::to_string(i), "x");
  mirror.settle_mirror();
  const Outcome outcome = drive(Tree(), mirror);
  EXPECT_EQ(outcome.guard, Guard::source_empty);
  EXPECT_EQ(outcome.totals.deletes, 100U);
  EXPECT_EQ(outcome.totals.delete_bytes, 100U);
  EXPECT_EQ(outcome.totals.mirror_bytes, 100U);
  EXPECT_THAT(outcome.changes, IsEmpty());
}

TEST(PlannerGuard, RenamesAreNoDeletes) {
  Tree source, mirror;
  for (int i = 0; i < 100; ++i) {
    mirror.file("old/f" + std::to_string(i), std::to_string(i));
    source.file("new/g" + std::to_string(i), std::to_string(i)).origin =
        Node::From{"old/f" + std::to_string(i), checksum_of(std::to_string(i)), true};
  }
  mirror.settle_mirror();
  const Outcome outcome = drive(source, mirror);
  EXPECT_EQ(outcome.guard, Guard::none);
  EXPECT_EQ(outcome.totals.deletes, 1U);
  EXPECT_EQ(outcome.totals.renames, 100U);
}

// What a sync of `after` onto a mirror of `before` says.
Outcome follow(Tree before, const Tree& after) {
  before.settle_mirror();
  return drive(after, before);
}

void fill(Tree& tree, const std::string& directory, int files, const std::string& text) {
  for (int i = 0; i < files; ++i)
    tree.file(directory + "/f" + std::to_string(i), text + std::to_string(i));
}

TEST(PlannerGuard, NamesWithAnotherHashAreNoLoss) {
  Tree before, after;
  fill(before, "dist/old", 150, "old text ");
  fill(after, "dist/new", 150, "new text that differs ");
  EXPECT_EQ(follow(before, after).guard, Guard::none);
}

TEST(PlannerGuard, APackInsteadOfItsObjectsIsNoLoss) {
  Tree before, after;
  fill(before, "objects/aa", 300, "an object ");
  before.file("HEAD", "ref");
  after.file("HEAD", "ref");
  after.file("objects/pack/one", std::string(400, 'p'));
  const Outcome outcome = follow(before, after);
  EXPECT_EQ(outcome.guard, Guard::none);
  EXPECT_EQ(outcome.totals.deletes, 301U);
  EXPECT_EQ(outcome.totals.places, 1U);
  EXPECT_EQ(outcome.totals.places_lost, 0U);
}

TEST(PlannerGuard, AnEmptyDirectoryWhereADiskWasIsHeld) {
  Tree before, after;
  fill(before, "disk", 150, "on the disk ");
  fill(before, "home", 200, "at home ");
  after = before;
  after.erase_all("disk");
  after.dir("disk");
  fill(after, "home/new", 300, "that came meanwhile ");
  const Outcome outcome = follow(before, after);
  EXPECT_EQ(outcome.guard, Guard::over_half);
  EXPECT_EQ(outcome.totals.places, 2U);
  EXPECT_EQ(outcome.totals.places_lost, 1U);
}

TEST(PlannerGuard, DirectoriesMovedOutOfTheTreeAreHeld) {
  Tree before, after;
  for (const char* name : {"a", "b", "c"})
    fill(before, name, 60, name);
  fill(before, "d", 40, "d");
  after = before;
  for (const char* name : {"a", "b", "c"})
    after.erase_all(name);
  const Outcome outcome = follow(before, after);
  EXPECT_EQ(outcome.guard, Guard::over_half);
  EXPECT_EQ(outcome.totals.places_lost, 3U);
}

TEST(PlannerGuard, DirectoriesMovedWithinTheTreeAreNotLost) {
  Tree before, after;
  for (const char* name : {"a", "b", "c"})
    fill(before, name, 60, name);
  after = before;
  for (const char* name : {"a", "b", "c"}) {
    after.move(name, std::string("inside/") + name);
    for (int i = 0; i < 60; ++i) {
      const std::string path = std::string(name) + "/f" + std::to_string(i);
      after.find("inside/" + path)->origin = Node::From{path, checksum_of(name + std::to_string(i)), true};
    }
  }
  const Outcome outcome = follow(before, after);
  EXPECT_EQ(outcome.guard, Guard::none);
  EXPECT_EQ(outcome.totals.places, 3U);
  EXPECT_EQ(outcome.totals.places_lost, 0U);
}

TEST(PlannerGuard, APlaceOfManySmallFilesMayGoAsAWhole) {
  Tree before, after;
  fill(before, "node_modules/p", 300, "x");
  before.file("src/main", std::string(5000, 's'));
  before.file(".git/pack", std::string(5000, 'p'));
  after = before;
  after.erase_all("node_modules");
  EXPECT_EQ(follow(before, after).guard, Guard::none);
  after = before;
  after.erase_all("node_modules/p");  // the same, but from inside: as a disk would be missed
  after.dir("node_modules");
  EXPECT_EQ(follow(before, after).guard, Guard::over_half);
}

TEST(PlannerGuard, MaxDeleteWithholdsOnlyDeletes) {
  Tree source, mirror;
  mirror.file("gone", "g");
  mirror.file("kind/x", "x");
  mirror.file("plain", "p");
  source.file("kind", "now a file");
  source.file("new", "content");
  source.file("plain/below", "was a file");
  mirror.settle_mirror();
  Driving driving;
  driving.options.client_max_delete = 3;
  const Outcome outcome = drive(source, mirror, driving);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.guard, Guard::max_delete);
  EXPECT_EQ(outcome.totals.deletes, 4U);
  EXPECT_EQ(outcome.totals.extras_kept, 2U);  // gone, and what is in the directory that stays
  EXPECT_THAT(outcome.work(), ElementsAre("request new"));
  EXPECT_THAT(outcome.problem_paths(), ElementsAre("kind", "plain"));
  EXPECT_EQ(outcome.digest, digest_of_source(source, outcome.problems, driving.options));
}

}  // namespace
}  // namespace ssync::planner::test
