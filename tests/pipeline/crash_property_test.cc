// A disk that fails, or a machine that dies, at any change of the mirror: every name has all of its old
// content or all of its new, and the next sync makes everything right.
#include <cerrno>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ssync/fs/staging.h"

#include "edits.h"
#include "pair.h"

namespace ssync::pipeline_test {
namespace {

using Edits = std::vector<Edit>;

/// Trees that differ, made the same way each time.
struct Story {
  Edits common, source, mirror;
};

Story any_story() {
  return {*rc::gen::scale(1.5, rc::gen::arbitrary<Edits>()).as("common"),
          *rc::gen::scale(0.4, rc::gen::arbitrary<Edits>()).as("source"),
          *rc::gen::scale(0.2, rc::gen::arbitrary<Edits>()).as("mirror")};
}

/// Synced once, then each its own way.
void tell(Pair& pair, const Story& story, const SyncOptions& options) {
  edit(pair.source, story.common, Disguise::no);
  edit(pair.mirror, story.common, Disguise::no);
  RC_ASSERT(pair.sync(options).code == ExitCode::ok);
  pair.source.tick();
  pair.mirror.tick();
  edit(pair.source, story.source, Disguise::no);
  edit(pair.mirror, story.mirror, Disguise::no);
  pair.source.tick();
  pair.mirror.tick();
  RC_ASSERT(static_cast<fs::Tree&>(pair.mirror).sync().has_value());  // what was edited is on the disk
}

SyncOptions options_of(bool durable) {
  SyncOptions options;
  options.sync.durable = durable;
  options.sync.max_delete = 1'000'000;
  options.mirror.seal_wait = std::chrono::milliseconds(0);
  return options;
}

/// Content by path; what is staged is nobody's.
std::map<std::string, std::string> files_of(support::FakeTree& tree, const std::string& location = {}) {
  std::map<std::string, std::string> files;
  const auto directory = tree.open(location).value();
  fs::NameList names;
  RC_ASSERT(directory->list(names).has_value());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name(names[i]);
    if (name.starts_with(fs::kStagingPrefix)) continue;
    const std::string path = location.empty() ? name : location + "/" + name;
    const fs::Stat stat = directory->stat(name).value();
    if (stat.type == fs::Stat::Type::file) files[path] = tree.read(path);
    if (stat.type == fs::Stat::Type::directory) files.merge(files_of(tree, path));
  }
  return files;
}

/// Nothing half: what is under a name is what was there, what was there before the planned moves of a
/// directory brought it, or what the source has under it.
void check_nothing_is_half(const std::map<std::string, std::string>& before, support::FakeTree& source,
                           support::FakeTree& mirror) {
  const std::map<std::string, std::string> wanted = files_of(source);
  std::set<std::string> known;
  for (const auto& [path, content] : before)
    known.insert(content);
  for (const auto& [path, content] : files_of(mirror)) {
    const auto is_new = wanted.find(path);
    RC_LOG() << path << ": " << content << "\n";
    RC_ASSERT(known.contains(content) || (is_new != wanted.end() && is_new->second == content));
  }
}

void check_repaired(Pair& pair, const SyncOptions& options) {
  const Synced again = pair.sync(options);
  for (const std::string& trouble : again.troubles)
    RC_LOG() << "trouble: " << trouble << "\n";
  RC_LOG() << "source:\n" << pair.source.dump() << "mirror:\n" << pair.mirror.dump();
  RC_ASSERT(again.code == ExitCode::ok);
  RC_ASSERT(again.equal);
  // What a dead server staged goes with the next one's start.
  (void)fs::remove_abandoned_staging(pair.mirror);
  RC_ASSERT(pair.mirror.dump() == pair.source.dump());
}

/// How many changes of the mirror the sync makes when nothing fails.
std::uint64_t changes_of(const Story& story, const SyncOptions& options) {
  Pair pair;
  tell(pair, story, options);
  const std::uint64_t before = pair.mirror.change_count();
  RC_ASSERT(pair.sync(options).code == ExitCode::ok);
  return pair.mirror.change_count() - before;
}

RC_GTEST_PROP(CrashProperty, AChangeThatFailsCostsItsPathAndNothingIsHalf, ()) {
  const Story story = any_story();
  const SyncOptions options = options_of(*rc::gen::arbitrary<bool>());
  const std::uint64_t changes = changes_of(story, options);
  RC_PRE(changes > 0U);
  Pair pair;
  tell(pair, story, options);
  const auto before = files_of(pair.mirror);
  pair.mirror.fail_nth(*rc::gen::inRange<std::uint64_t>(1, changes + 1).as("change"),
                       *rc::gen::element(EIO, ENOSPC, EACCES));
  const Synced failed = pair.sync(options);
  pair.mirror.clear_failures();
  RC_ASSERT(failed.done || failed.code != ExitCode::ok);
  check_nothing_is_half(before, pair.source, pair.mirror);
  check_repaired(pair, options);
}

RC_GTEST_PROP(CrashProperty, ACallThatFailsOnEitherEndCostsAtMostThisSync, ()) {
  using support::FakeOp;
  const Story story = any_story();
  const SyncOptions options = options_of(*rc::gen::arbitrary<bool>());
  Pair pair;
  tell(pair, story, options);
  const auto before = files_of(pair.mirror);
  support::FakeTree& failing = *rc::gen::arbitrary<bool>().as("of the source") ? pair.source : pair.mirror;
  failing.fail_nth(
      *rc::gen::element(FakeOp::open, FakeOp::list, FakeOp::stat, FakeOp::read_link, FakeOp::unmirrored,
                        FakeOp::open_file, FakeOp::read, FakeOp::rename, FakeOp::write, FakeOp::sync)
           .as("call"),
      *rc::gen::inRange<std::uint64_t>(1, 8).as("which"), *rc::gen::element(EIO, EACCES, ENOENT));
  const Synced failed = pair.sync(options);
  failing.clear_failures();
  // What it could not do, it told.
  RC_ASSERT(failed.equal || failed.code != ExitCode::ok);
  check_nothing_is_half(before, pair.source, pair.mirror);
  check_repaired(pair, options);
}

enum class Death : std::uint8_t { of_the_process, power_cut, power_cut_with_a_journal_of_names };

void die(Pair& pair, Death death) {
  pair.mirror.clear_failures();
  if (death == Death::power_cut) pair.mirror.lose_unsynced();
  if (death == Death::power_cut_with_a_journal_of_names) pair.mirror.lose_unsynced_content();
}

RC_GTEST_PROP(CrashProperty, ADeathAtAnyChangeLeavesNothingHalf, ()) {
  const Story story = any_story();
  const SyncOptions options = options_of(true);
  const std::uint64_t changes = changes_of(story, options);
  RC_PRE(changes > 0U);
  const Death death =
      *rc::gen::element(Death::of_the_process, Death::power_cut, Death::power_cut_with_a_journal_of_names,
                        Death::power_cut_with_a_journal_of_names);
  // Some of them, others in each run.
  const std::uint64_t step = changes / 6 + 1;
  for (std::uint64_t change = *rc::gen::inRange<std::uint64_t>(1, step + 1).as("first"); change <= changes;
       change += step) {
    Pair pair;
    tell(pair, story, options);
    const auto before = files_of(pair.mirror);
    pair.mirror.fail_from(change, EIO);
    (void)pair.sync(options);
    die(pair, death);
    RC_LOG() << "death at change " << change << "\n";
    check_nothing_is_half(before, pair.source, pair.mirror);
    check_repaired(pair, options);
  }
}

}  // namespace
}  // namespace ssync::pipeline_test
