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
  EXPECT_EQ(check_guard(totals, options), given.guard);
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

TEST(PlannerGuard, AnEmptySourceChangesNothing) {
  Tree mirror;
  for (int i = 0; i < 100; ++i)
    mirror.file("f" + std::to_string(i), "x");
  mirror.settle_mirror();
  const Outcome outcome = drive(Tree(), mirror);
  EXPECT_EQ(outcome.guard, Guard::source_empty);
  EXPECT_EQ(outcome.totals.deletes, 100U);
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
