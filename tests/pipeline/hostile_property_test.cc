// Whatever a file system answers, what the scanner makes of it passes for a list, and for a mirror's scan: a
// bad entry never ends a sync. RapidCheck prints the seed of a failure; RC_PARAMS="seed=..." runs it again.
#include <algorithm>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ssync/planner/planner.h"
#include "ssync/scanner/scanner.h"
#include "ssync/support/fake_tree.h"
#include "ssync/wire/codec.h"

#include "edits.h"
#include "pair.h"

namespace ssync::pipeline_test {
namespace {

using planner::Planner;
using support::FakeTree;

/// Answers that are wrong now and then, each time differently.
class Liar {
 public:
  explicit Liar(std::uint64_t seed) : random_(seed) {}

  void names(std::vector<std::string>& names) {
    if (lies() && !names.empty()) names.push_back(names[random_() % names.size()]);
    if (lies()) names.push_back(any_name());
    std::shuffle(names.begin(), names.end(), random_);
  }
  void stat(std::optional<fs::Stat>& stat) {
    if (!stat && lies()) stat = any_entry();
    if (!stat) return;
    Seen& seen = stat->seen;
    if (lies()) seen.values.mtime.ns = static_cast<std::uint32_t>(random_());
    if (lies()) seen.values.mtime.s = any_number<std::int64_t>();
    if (lies()) seen.values.size = any_number<std::uint64_t>();
    if (lies()) seen.values.mode = static_cast<std::uint16_t>(random_());
    if (lies()) seen.values.owner = {any_number<std::uint32_t>(), any_number<std::uint32_t>()};
    if (lies()) seen.ctime.s = any_number<std::int64_t>();
    if (lies()) seen.inode = any_number<std::uint64_t>();
    if (lies()) seen.device = any_number<std::uint64_t>();
    if (lies()) seen.links = any_number<std::uint32_t>();
    if (lies()) stat->mount_point = stat->type == fs::Stat::Type::directory;
  }
  void target(std::string& target) {
    if (!lies()) return;
    static const std::vector<std::string> kTargets{"", std::string("a\0b", 3), std::string(65536, 't'),
                                                   std::string(65537, 't'), "/"};
    target = kTargets[random_() % kTargets.size()];
  }

 private:
  [[nodiscard]] bool lies() { return random_() % 8 == 0; }
  template <typename T>
  [[nodiscard]] T any_number() {
    static constexpr std::uint64_t kEdges[] = {0,           1,           1ULL << 31U, 1ULL << 32U,
                                               1ULL << 62U, 1ULL << 63U, ~0ULL};
    const std::uint64_t number = random_() % 2 == 0 ? random_() : kEdges[random_() % std::size(kEdges)];
    return static_cast<T>(number);
  }
  [[nodiscard]] std::string any_name() {
    static const std::vector<std::string> kNames{"",
                                                 ".",
                                                 "..",
                                                 "a/b",
                                                 std::string("n\0", 2),
                                                 std::string(255, 'n'),
                                                 std::string(256, 'n'),
                                                 std::string(1000, '\xff'),
                                                 "phantom"};
    return kNames[random_() % kNames.size()];
  }
  [[nodiscard]] fs::Stat any_entry() {
    using Type = fs::Stat::Type;
    static constexpr std::pair<Type, Kind> kTypes[] = {{Type::file, Kind::file},
                                                       {Type::directory, Kind::directory},
                                                       {Type::symlink, Kind::symlink},
                                                       {Type::other, Kind::special}};
    fs::Stat stat;
    std::tie(stat.type, stat.seen.values.kind) = kTypes[random_() % std::size(kTypes)];
    return stat;
  }
  std::mt19937_64 random_;
};

void make_hostile(FakeTree& tree, Liar& liar) {
  tree.set_answers({.list = [&](const std::string&, std::vector<std::string>& names) { liar.names(names); },
                    .stat = [&](const std::string&, std::optional<fs::Stat>& stat) { liar.stat(stat); },
                    .read_link = [&](const std::string&, std::string& target) { liar.target(target); }});
}

struct Scan {
  std::vector<ScanBlock> blocks;
  std::string error;
};

Scan scan(FakeTree& tree, const State& state, index::Role role) {
  Scan scanned;
  auto idx = state.open(role);
  RC_ASSERT(idx.has_value());
  scanner::Scanner scanner(tree, *idx, {.role = role});
  for (;;) {
    auto block = scanner.next();
    if (!block) scanned.error = block.error().text();
    if (!block || !*block) break;
    scanned.blocks.push_back(std::move(**block));
  }
  // An index with an entry that it cannot hold would be lost as a whole.
  if (scanned.error.empty()) {
    const Result<void> committed = scanner.commit_index(idx->header());
    if (!committed) scanned.error = committed.error().text();
  }
  return scanned;
}

void check_problems(const std::vector<ScanBlock>& blocks) {
  for (const ScanBlock& block : blocks) {
    for (const Problem& problem : block.problems)
      RC_ASSERT(check_path(problem.path(), AllowRoot::yes).has_value());
  }
}

/// The list as the client sends it and the server reads it.
std::vector<wire::FileList> through_the_wire(const std::vector<ScanBlock>& blocks) {
  wire::FileListEncoder encoder(7);
  std::vector<wire::FileList> lists;
  wire::SessionId session{};
  session[0] = std::byte{1};
  const auto send = [&](bool last) {
    auto decoded = wire::decode_request(wire::filelist_frames(1, session, encoder.finish(last)));
    if (!decoded) RC_LOG() << decoded.error().text() << "\n";
    RC_ASSERT(decoded.has_value());
    lists.push_back(std::move(std::get<wire::FileList>(decoded->body)));
  };
  RowId id = 0;
  const auto add = [&](const ScanBlock& block, std::string_view name, const Seen& seen,
                       std::string_view target) {
    Row row;
    row.location = block.location;
    row.name = name;
    row.id = id++;
    row.values = seen.values;
    row.target = target;
    if (encoder.add(row)) return;
    send(false);
    RC_ASSERT(encoder.add(row));
  };
  for (const ScanBlock& block : blocks) {
    if (block.self) add(block, "", *block.self, {});
    for (const ScannedEntry& entry : block.entries)
      add(block, entry.name, entry.seen, entry.target);
  }
  send(true);
  return lists;
}

/// To the end of the plan: nobody can answer a question.
void check_plan(std::vector<wire::FileList> lists, const std::vector<ScanBlock>& blocks) {
  TreeDigest digest;
  Planner planner({}, digest);
  const auto check = [](const Result<void>& result) {
    if (!result) RC_LOG() << result.error().text() << "\n";
    RC_ASSERT(result.has_value());
  };
  for (wire::FileList& list : lists)
    check(planner.add_source(std::move(list.batch)));
  for (const ScanBlock& block : blocks)
    check(planner.add_mirror(block));
  planner.end_mirror();
  for (;;) {
    const auto step = planner.step();
    if (!step) RC_LOG() << step.error().text() << "\n";
    RC_ASSERT(step.has_value());
    if (*step == Planner::Step::planned) return;
    RC_ASSERT(*step == Planner::Step::queries);
    for (const planner::Query& query : planner.take_queries())
      planner.answer({query.id, std::nullopt, std::nullopt});
  }
}

RC_GTEST_PROP(HostileProperty, NoAnswerOfAFileSystemEndsASync, ()) {
  Pair pair;
  edit(pair.source, *rc::gen::scale(2.0, rc::gen::arbitrary<std::vector<Edit>>()), Disguise::no);
  edit(pair.mirror, *rc::gen::scale(2.0, rc::gen::arbitrary<std::vector<Edit>>()), Disguise::no);
  Liar liar(*rc::gen::arbitrary<std::uint64_t>());
  Liar other(*rc::gen::arbitrary<std::uint64_t>());
  make_hostile(pair.source, liar);
  make_hostile(pair.mirror, other);
  for (int round = 0; round < 2; ++round) {  // with what the indexes learnt of it
    const Scan source = scan(pair.source, pair.source_state, index::Role::source);
    const Scan mirror = scan(pair.mirror, pair.mirror_state, index::Role::mirror);
    RC_LOG() << source.error << mirror.error << "\n";
    RC_ASSERT(source.error.empty());
    RC_ASSERT(mirror.error.empty());
    check_problems(source.blocks);
    check_problems(mirror.blocks);
    check_plan(through_the_wire(source.blocks), mirror.blocks);
  }
}

}  // namespace
}  // namespace ssync::pipeline_test
