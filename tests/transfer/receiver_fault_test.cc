// One change of the file system fails, whichever it is: afterwards each final name is old or new, never half,
// and every file was told about exactly once.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/fake_tree.h"

#include "rig.h"

namespace ssync::transfer {
namespace {

using support::dir;
using support::FakeTree;
using support::file;
using support::Node;

const std::string kLong(9000, 'n');

std::vector<Node> old_tree() {
  return {file("a", "old a"), dir("d", file("b", "old b"))};
}
std::vector<Node> new_tree() {
  return {file("a", "new a"),
          dir("d", file("b", kLong).with_mode(04755), file("c", "only new").with_size(20'000))};
}

std::string either(FakeTree& mirror, std::string_view path, const std::string& before,
                   const std::string& after) {
  if (!mirror.exists(path)) return before.empty() ? "" : std::string(path) + " is gone";
  const std::string now = mirror.read(path);
  if (now == before || now == after) return "";
  return std::string(path) + " is half: " + now.substr(0, 40);
}

PipeResult run(FakeTree& source, FakeTree& mirror, Durable durable) {
  fs::Staging staging(mirror);
  PipeOptions options;
  options.reader.chunk_bytes = 4096;
  options.receiver = {.writers = 1, .durable = durable, .attributes = {.owner = true}};
  return pipe(source, mirror, staging, first_copy(source, mirror).requests, options);
}

void check(FakeTree& mirror, const PipeResult& result) {
  EXPECT_EQ(either(mirror, "a", "old a", "new a"), "");
  EXPECT_EQ(either(mirror, "d/b", "old b", kLong), "");
  std::string sparse = "only new";
  sparse.resize(20'000);
  EXPECT_EQ(either(mirror, "d/c", "", sparse), "");
  EXPECT_EQ(result.published.size() + result.failures.size(), 3U);
  for (const std::string& path : result.published)
    EXPECT_NE(mirror.read(path).find('n'), std::string::npos) << path;
  EXPECT_EQ(result.credited, result.charged);
}

struct FaultTest : testing::TestWithParam<Durable> {};

INSTANTIATE_TEST_SUITE_P(Durable, FaultTest, testing::Values(Durable::no, Durable::yes),
                         [](const auto& with) { return with.param == Durable::yes ? "Durable" : "Fast"; });

TEST_P(FaultTest, AnyFailedChangeLeavesEachNameOldOrNew) {
  for (const int err : {EIO, ENOSPC}) {
    for (std::uint64_t n = 1;; ++n) {
      SCOPED_TRACE("change " + std::to_string(n));
      FakeTree source(new_tree());
      FakeTree mirror(old_tree());
      mirror.fail_nth(n, err);
      const PipeResult result = run(source, mirror, GetParam());
      check(mirror, result);
      if (HasFailure()) return;
      if (mirror.change_count() < n) break;
    }
  }
}

TEST_P(FaultTest, ADeadDiskLeavesEachNameOldOrNew) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("from change " + std::to_string(n));
    FakeTree source(new_tree());
    FakeTree mirror(old_tree());
    mirror.fail_from(n, EIO);
    const PipeResult result = run(source, mirror, GetParam());
    mirror.clear_failures();
    check(mirror, result);
    if (HasFailure()) return;
    if (mirror.change_count() < n) break;
  }
}

TEST(PowerCutTest, AtAnyChangeLeavesEachNameOldOrNew) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("cut at change " + std::to_string(n));
    FakeTree source(new_tree());
    FakeTree mirror(old_tree());
    mirror.fail_from(n, EIO);
    const PipeResult result = run(source, mirror, Durable::yes);
    const bool all = mirror.change_count() < n;
    mirror.clear_failures();
    mirror.lose_unsynced();
    check(mirror, result);
    for (const std::string& path : result.published)
      EXPECT_TRUE(mirror.exists(path)) << path;
    if (testing::Test::HasFailure() || all) return;
  }
}

}  // namespace
}  // namespace ssync::transfer
