// What holds for every pair of trees. RapidCheck prints the seed of a failure; RC_PARAMS="seed=..." runs it
// again.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "drive.h"
#include "random_trees.h"

namespace ssync::planner::test {
namespace {

using Edits = std::vector<Edit>;

Trees random_trees() {
  const auto common = *rc::gen::arbitrary<Edits>();
  const auto source = *rc::gen::arbitrary<Edits>();
  const auto mirror = *rc::gen::arbitrary<Edits>();
  const auto knowledge = *rc::gen::element(Knowledge::some, Knowledge::some, Knowledge::nothing);
  return make_trees(common, source, mirror, knowledge, *rc::gen::arbitrary<std::uint64_t>());
}

Driving random_driving() {
  Driving driving;
  driving.options.change_batch = *rc::gen::inRange<std::size_t>(1, 6);
  driving.batch_rows = *rc::gen::inRange<std::size_t>(1, 6);
  driving.mirror_first = *rc::gen::arbitrary<bool>();
  driving.answer_seed = *rc::gen::arbitrary<std::uint64_t>();
  driving.options.compare_content = *rc::gen::inRange(0, 4) == 0;
  driving.by_sums = !driving.options.compare_content && *rc::gen::arbitrary<bool>();
  return driving;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += line + "\n";
  return text;
}

// Says what the case was when it fails.
void show(const Trees& trees, const Outcome& outcome) {
  RC_LOG() << "source:\n"
           << trees.source.text() << "mirror:\n"
           << trees.mirror.text() << "steps:\n"
           << joined(outcome.steps());
}

void check_equal(const Tree& is, const Tree& should) {
  RC_ASSERT(is.paths() == should.paths());
  for (const std::string& path : should.paths()) {
    const Node &a = *is.find(path), &b = *should.find(path);
    RC_LOG() << path;
    RC_ASSERT(a.values == b.values);
    RC_ASSERT(a.content == b.content);
    RC_ASSERT(a.target == b.target);
  }
}

// Totals against the changes that came out.
void check_totals(const Outcome& outcome, const Tree& source) {
  std::map<Op, std::uint64_t> ops;
  std::uint64_t metadata = 0, finals_of_new = 0, published = 0, rings = 0;
  for (const Change& change : outcome.changes) {
    if (change.respells()) continue;  // only other letters
    ++ops[change.op()];
    if (change.op() == Op::publish_staged) ++published;
    if (const auto* exchange = std::get_if<Change::Exchange>(&change.step); exchange && exchange->other)
      ++rings;  // the last of it makes two paths right
    if (!change.is(Change::SetMetadata::Purpose::change)) continue;
    if (change.wanted.kind == Kind::directory && !change.at_path) {
      ++finals_of_new;
    } else {
      ++metadata;
    }
  }
  const PlanTotals& totals = outcome.totals;
  RC_ASSERT(totals.requests == ops[Op::request]);
  RC_ASSERT(totals.deletes == ops[Op::remove] + ops[Op::remove_directory]);
  RC_ASSERT(totals.created == ops[Op::make_directory] + ops[Op::make_link] + ops[Op::make_empty]);
  // A directory that moved takes others with it, and each has its last word.
  RC_ASSERT(finals_of_new >= ops[Op::make_directory] + ops[Op::rename_directory]);
  RC_ASSERT(ops[Op::rename_directory] > 0 || finals_of_new == ops[Op::make_directory]);
  RC_ASSERT(published == ops[Op::stage_copy] + ops[Op::stage_rename]);
  RC_ASSERT(totals.renames ==
            ops[Op::rename] + ops[Op::exchange] + rings + ops[Op::stage_rename] + ops[Op::rename_directory]);
  RC_ASSERT(totals.copies == ops[Op::copy] + ops[Op::stage_copy]);
  RC_ASSERT(totals.metadata <= metadata);
  RC_ASSERT(totals.source_entries == source.size());
  RC_ASSERT(totals.unchanged + totals.created + totals.copies + totals.renames + totals.requests +
                totals.metadata >=
            totals.source_entries);
}

/// Fifos in the place of some of the mirror's entries: they are corrected like anything else.
void add_specials(Tree& mirror) {
  for (const std::uint8_t place : *rc::gen::scale(0.1, rc::gen::arbitrary<std::vector<std::uint8_t>>())) {
    if (mirror.size() == 0) return;
    const std::vector<std::string> paths = mirror.paths();
    const std::string& path = paths[1 + place % (paths.size() - 1)];
    mirror.erase_all(path);
    mirror.special(path);
  }
}

RC_GTEST_PROP(PlannerProperty, ApplyingThePlanYieldsTheSource, ()) {
  Trees trees = random_trees();
  add_specials(trees.mirror);
  const Driving driving = random_driving();
  const Outcome outcome = drive(trees.source, trees.mirror, driving);
  show(trees, outcome);
  RC_ASSERT(outcome.error == std::string());
  check_equal(outcome.mirror, trees.source);
  RC_ASSERT(outcome.digest == digest_of_source(trees.source, {}, driving.options));
  check_totals(outcome, trees.source);
  RC_ASSERT(outcome.problems.empty());
  RC_CLASSIFY(std::any_of(outcome.changes.begin(), outcome.changes.end(),
                          [](const Change& change) { return change.op() == Op::exchange; }),
              "exchange");
  RC_CLASSIFY(outcome.totals.renames > 0, "rename");
  RC_CLASSIFY(std::any_of(outcome.changes.begin(), outcome.changes.end(),
                          [](const Change& change) { return change.op() == Op::rename_directory; }),
              "rename_directory");
}

RC_GTEST_PROP(PlannerProperty, DirectoriesThatMovedMoveWhateverElseHappened, ()) {
  using Move = std::pair<std::uint8_t, std::uint8_t>;
  const auto common = *rc::gen::arbitrary<Edits>();
  const auto moves = *rc::gen::arbitrary<std::vector<Move>>();
  auto edits = *rc::gen::arbitrary<Edits>();
  edits.resize(std::min<std::size_t>(edits.size(), *rc::gen::inRange<std::size_t>(0, 5)));
  auto stirs = *rc::gen::arbitrary<Edits>();
  stirs.resize(std::min<std::size_t>(stirs.size(), *rc::gen::inRange<std::size_t>(0, 8)));
  const Trees trees = make_moved_trees(common, moves, edits, stirs);
  Driving driving = random_driving();
  if (*rc::gen::inRange(0, 4) == 0) driving.options.client_max_delete = *rc::gen::inRange(0, 4);
  const Outcome outcome = drive(trees.source, trees.mirror, driving);
  show(trees, outcome);
  RC_ASSERT(outcome.error == std::string());
  RC_ASSERT(outcome.digest == digest_of_source(trees.source, outcome.problems, driving.options));
  if (outcome.guard == Guard::none) {
    check_equal(outcome.mirror, trees.source);
    check_totals(outcome, trees.source);
  }
  const auto moved = std::count_if(outcome.changes.begin(), outcome.changes.end(),
                                   [](const Change& change) { return change.op() == Op::rename_directory; });
  const auto is_from_moved = [&](const Change& change) {
    return (change.op() == Op::rename || change.op() == Op::copy) && change.from()->seen &&
           !trees.mirror.has(join(change.from()->path()));
  };
  const auto is_replaced = [&](const Change& change) {
    return change.at_path && change.op() != Op::set_metadata && !trees.mirror.has(join(change.path()));
  };
  RC_CLASSIFY(std::ranges::any_of(outcome.changes, is_from_moved), "taken from a moved one");
  RC_CLASSIFY(std::ranges::any_of(outcome.changes, is_replaced), "replaced in a moved one");
  RC_CLASSIFY(moved == 1, "one");
  RC_CLASSIFY(moved > 1, "several");
}

RC_GTEST_PROP(PlannerProperty, ThePlanDoesNotDependOnHowItsInputIsCut, ()) {
  const Trees trees = random_trees();
  Driving one = random_driving(), other = random_driving();
  other.options.compare_content = one.options.compare_content;
  if (one.options.compare_content) other.by_sums = false;
  const Outcome first = drive(trees.source, trees.mirror, one);
  const Outcome second = drive(trees.source, trees.mirror, other);
  show(trees, first);
  RC_ASSERT(first.steps() == second.steps());
  RC_ASSERT(first.totals == second.totals);
  RC_ASSERT(first.digest == second.digest);
}

RC_GTEST_PROP(PlannerProperty, APlanOfEqualsIsEmpty, (const Edits& edits)) {
  Tree source;
  edit(source, edits);
  for (const std::string& path : source.paths())
    source.find(path)->links = 1;
  Tree mirror = source;
  mirror.settle_mirror();
  const bool both_know = *rc::gen::arbitrary<bool>();
  for (const std::string& path : source.paths())
    source.find(path)->knows_checksum = both_know && mirror.find(path)->knows_checksum;
  const Outcome outcome = drive(source, mirror, random_driving());
  RC_ASSERT(outcome.error == std::string());
  RC_ASSERT(outcome.steps() == std::vector<std::string>());
  if (both_know) RC_ASSERT(outcome.rows_given == 0U);
  RC_ASSERT(outcome.totals.unchanged == source.size());
}

// What another kind at the same path replaces is no extra, unless something would go with it.
RC_GTEST_PROP(PlannerProperty, NothingIsDeletedUnderNoDeleteButWhatIsReplaced, ()) {
  Trees trees = random_trees();
  add_specials(trees.mirror);
  Driving driving = random_driving();
  driving.options.delete_extra = DeleteExtra::no;
  const Outcome outcome = drive(trees.source, trees.mirror, driving);
  show(trees, outcome);
  RC_ASSERT(outcome.error == std::string());
  std::uint64_t replaced = 0;
  for (const std::string& path : trees.mirror.paths()) {
    RC_LOG() << path << "\n";
    RC_ASSERT(outcome.mirror.has(path));
    if (outcome.mirror.find(path)->values.kind == trees.mirror.find(path)->values.kind) continue;
    ++replaced;
    RC_ASSERT(outcome.mirror.find(path)->values.kind == trees.source.find(path)->values.kind);
    RC_ASSERT(!trees.mirror.has_children(path));
  }
  RC_ASSERT(outcome.totals.deletes == replaced);
  RC_ASSERT(outcome.digest == digest_of_source(trees.source, outcome.problems, driving.options));
}

RC_GTEST_PROP(PlannerProperty, WithheldDeletesKeepEveryContent, ()) {
  const Trees trees = random_trees();
  Driving driving = random_driving();
  driving.options.client_max_delete = 0;
  const Outcome outcome = drive(trees.source, trees.mirror, driving);
  show(trees, outcome);
  RC_ASSERT(outcome.error == std::string());
  RC_ASSERT((outcome.guard == Guard::max_delete) == (outcome.totals.deletes > 0));
  for (const Change& change : outcome.changes)
    RC_ASSERT(change.op() != Op::remove && change.op() != Op::remove_directory);
  RC_ASSERT(outcome.digest == digest_of_source(trees.source, outcome.problems, driving.options));
  if (outcome.guard == Guard::none) check_equal(outcome.mirror, trees.source);
}

// Old contents are dealt out anew among old, new and nested paths: chains, rings, swaps, several readers of
// one file, files that become directories of what was beside them.
struct Deal {
  Tree source, mirror;
};

Deal deal(const std::vector<std::uint8_t>& numbers) {
  static constexpr std::size_t kFiles = 8;
  Deal trees;
  for (std::size_t i = 0; i < kFiles; ++i) {
    trees.mirror.file("f" + std::to_string(i), std::string(4, static_cast<char>('A' + i)));
  }
  trees.mirror.settle_mirror();
  for (const std::string& path : trees.mirror.paths())
    trees.mirror.find(path)->knows_digest = !path.empty();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::string path = "f" + std::to_string(i % (kFiles + 2));
    if (numbers[i] % 16 == 15) path += "/x" + std::to_string(i);
    const Node* parent = trees.source.find(std::string(split(path).location));
    if (parent != nullptr && parent->values.kind != Kind::directory) continue;
    if (trees.source.has(path)) continue;
    const std::size_t content = numbers[i] / 16U % (kFiles + 2);
    std::string bytes(4, static_cast<char>('A' + content));
    if (content == kFiles) bytes.clear();
    Node& node = trees.source.file(path, std::move(bytes), 2000);
    node.doubt = true;
  }
  return trees;
}

RC_GTEST_PROP(PlannerProperty, WhateverIsThereIsMovedOrCopiedInARightOrder,
              (const std::vector<std::uint8_t>& numbers)) {
  const Deal trees = deal(numbers);
  const Outcome outcome = drive(trees.source, trees.mirror, random_driving());
  RC_LOG() << "source:\n" << trees.source.text() << "steps:\n" << joined(outcome.steps());
  RC_ASSERT(outcome.error == std::string());
  check_equal(outcome.mirror, trees.source);
  check_totals(outcome, trees.source);
  const auto is_used = [&](Op op) {
    return std::any_of(outcome.changes.begin(), outcome.changes.end(),
                       [op](const Change& change) { return change.op() == op; });
  };
  for (const Op op : {Op::exchange, Op::rename, Op::copy, Op::stage_copy, Op::stage_rename}) {
    RC_CLASSIFY(is_used(op), std::string(op_name(op)));
  }
  RC_CLASSIFY(std::any_of(outcome.changes.begin(), outcome.changes.end(),
                          [](const Change& change) {
                            const auto* exchange = std::get_if<Change::Exchange>(&change.step);
                            return exchange != nullptr && !exchange->other;
                          }),
              "ring");
}

RC_GTEST_PROP(PlannerProperty, WithKnownDigestsOnlyNewContentIsRequested,
              (const std::vector<std::uint8_t>& numbers)) {
  const Deal trees = deal(numbers);
  const Outcome outcome = drive(trees.source, trees.mirror);
  RC_ASSERT(outcome.error == std::string());
  for (const Change& change : outcome.changes) {
    if (change.op() != Op::request) continue;
    const std::string& content = trees.source.find(join(change.path()))->content;
    for (const std::string& path : trees.mirror.paths())
      RC_ASSERT(trees.mirror.find(path)->content != content);
  }
}

// Some of the source's or the mirror's entries cannot be read.
RC_GTEST_PROP(PlannerProperty, NothingIsTouchedAtOrBelowAProblem, ()) {
  Trees trees = random_trees();
  const bool is_source = *rc::gen::arbitrary<bool>();
  Tree& side = is_source ? trees.source : trees.mirror;
  if (side.size() == 0) side.dir("a");
  const std::vector<std::string> paths = side.paths();
  const std::string bad = paths[*rc::gen::inRange<std::size_t>(1, paths.size())];
  Driving driving = random_driving();
  const bool is_known_late = side.find(bad)->values.kind == Kind::directory && *rc::gen::arbitrary<bool>();
  if (is_source || !is_known_late) {
    side.erase_all(bad);
    side.unreadable(bad);
  } else {
    for (const std::string& path : side.paths()) {
      if (path != bad && is_at_or_below(path, bad) && side.has(path)) side.erase_all(path);
    }
    Problem problem;
    problem.location = split(bad).location;
    problem.name = split(bad).name;
    problem.subtree = true;
    driving.block_problems.push_back(problem);
  }
  const Outcome outcome = drive(trees.source, trees.mirror, driving);
  show(trees, outcome);
  RC_LOG() << "bad: " << bad << "\n";
  RC_ASSERT(outcome.error == std::string());
  for (const std::string& path : trees.mirror.paths()) {
    if (!is_at_or_below(path, bad)) continue;
    RC_ASSERT(outcome.mirror.has(path));
    RC_ASSERT(outcome.mirror.find(path)->content == trees.mirror.find(path)->content);
    RC_ASSERT(outcome.mirror.find(path)->values == trees.mirror.find(path)->values);
  }
  RC_ASSERT(outcome.digest == digest_of_source(trees.source, outcome.problems, driving.options));
}

}  // namespace
}  // namespace ssync::planner::test
