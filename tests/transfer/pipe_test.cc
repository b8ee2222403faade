// SourceReader into Receiver, queues of capacity 1, over fake and real trees.
#include <cstdlib>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/fake_tree.h"

#include "rig.h"

namespace ssync::transfer {
namespace {

using support::dir;
using support::dump;
using support::FakeTree;
using support::file;
using support::link;
using support::Node;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kChunk = 4096;

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text)
    c = static_cast<char>(random());
  return text;
}

std::vector<Node> odd_sizes() {
  Node many = dir("many");
  for (unsigned i = 0; i < 200; ++i)
    many.children.push_back(file("f" + std::to_string(i), noise(i * 7 % 900, i)));
  return {
      file("chunk", noise(kChunk, 1)),
      file("chunk-1", noise(kChunk - 1, 2)),
      file("chunk+1", noise(kChunk + 1, 3)),
      file("empty"),
      file("large", noise(10 * kChunk + 77, 4)).with_mode(0400),
      link("link", "large"),
      std::move(many),
      file("one", "1").with_mode(06751),
      dir("sparse", file("all", "").with_size(1U << 20U), file("tail", noise(5000, 5)).with_size(300'000))};
}

PipeOptions small_chunks() {
  PipeOptions options;
  options.reader.chunk_bytes = kChunk;
  options.reader.pool_buffers = 3;
  return options;
}

struct PipeTest : testing::TestWithParam<Durable> {
  PipeTest() { options.receiver.durable = GetParam(); }
  PipeOptions options = small_chunks();
};

INSTANTIATE_TEST_SUITE_P(Durable, PipeTest, testing::Values(Durable::no, Durable::yes),
                         [](const auto& with) { return with.param == Durable::yes ? "Durable" : "Fast"; });

TEST_P(PipeTest, CopiesEverySizeBetweenFakeTrees) {
  FakeTree source(odd_sizes());
  FakeTree mirror;
  const PipeResult result = copy_tree(source, mirror, options);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(mirror.dump(), source.dump());
  EXPECT_EQ(result.credited, result.charged);
}

TEST_P(PipeTest, CopiesEverySizeBetweenRealTrees) {
  TemporaryRoot source;
  TemporaryRoot mirror;
  ASSERT_TRUE(support::build(source.tree(), odd_sizes()));
  options.reader.threads = 2;
  const PipeResult result = copy_tree(source.tree(), mirror.tree(), options);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(dump(mirror.tree()), dump(source.tree()));
  EXPECT_EQ(result.credited, result.charged);
}

TEST_P(PipeTest, CopiesARandomTreeWithSeveralThreads) {
  const char* const given = std::getenv("SSYNC_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
  SCOPED_TRACE("SSYNC_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Node> nodes;
  for (unsigned d = 0; d < 8; ++d) {
    Node folder = dir("d" + std::to_string(d));
    for (std::size_t i = random() % 30; i > 0; --i) {
      const std::size_t size = random() % 4 == 0 ? random() % (5 * kChunk) : random() % 300;
      Node one = file("f" + std::to_string(i), noise(size, seed + static_cast<unsigned>(i)))
                     .with_size(random() % 3 == 0 ? size + random() % 50'000 : 0);
      folder.children.push_back(std::move(one));
    }
    nodes.push_back(std::move(folder));
  }
  FakeTree source(nodes);
  FakeTree mirror;
  options.reader.threads = 3;
  options.receiver.writers = 3;
  const PipeResult result = copy_tree(source, mirror, options);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(mirror.dump(), source.dump());
}

TEST_P(PipeTest, PacksManySmallFilesIntoFewMessages) {
  std::vector<Node> nodes;
  for (int i = 0; i < 300; ++i)
    nodes.push_back(file(std::to_string(i), "0123456789"));
  FakeTree source(nodes);
  FakeTree mirror;
  options.queue_items = 1000;
  const PipeResult result = copy_tree(source, mirror, options);
  EXPECT_EQ(result.published.size(), 300U);
  EXPECT_LT(result.messages, 30U);
}

TEST_P(PipeTest, KeepsHolesAndDoesNotSendThem) {
  TemporaryRoot source;
  TemporaryRoot mirror;
  ASSERT_TRUE(support::build(source.tree(), {file("sparse", noise(100, 1)).with_size(8U << 20U)}));
  const PipeResult result = copy_tree(source.tree(), mirror.tree(), options);
  EXPECT_EQ(dump(mirror.tree()), dump(source.tree()));
  EXPECT_LT(result.charged, 200'000U);
  EXPECT_LT(mirror.tree().open("").value()->stat("sparse").value().blocks_512, 1000U);
}

TEST_P(PipeTest, ReplacesWhatIsThere) {
  FakeTree source({file("a", "new content")});
  FakeTree mirror({file("a", "old").with_mode(0600), file("b", "stays")});
  fs::Staging staging(mirror);
  const PipeResult result =
      pipe(source, mirror, staging, {change_to(Op::request, "a", source, mirror)}, options);
  EXPECT_THAT(result.published, ElementsAre("a"));
  EXPECT_EQ(mirror.dump({.mtime = false, .root = false, .staging = false}),
            "a file 0644 11 \"new content\"\nb file 0644 5 \"stays\"\n");
}

TEST_P(PipeTest, ReportsAFileThatVanished) {
  FakeTree source({file("a", "1"), file("b", "2")});
  FakeTree mirror;
  const FirstCopy plan = first_copy(source, mirror);
  source.erase("a");
  fs::Staging staging(mirror);
  const PipeResult result = pipe(source, mirror, staging, plan.requests, options);
  EXPECT_THAT(result.failures, ElementsAre("a: open: No such file or directory"));
  EXPECT_THAT(result.published, ElementsAre("b"));
}

TEST_P(PipeTest, SendsTheFileAsItIsNow) {
  FakeTree source({file("a", "listed")});
  FakeTree mirror;
  const FirstCopy plan = first_copy(source, mirror);
  source.tick();
  source.write("a", "changed since");
  fs::Staging staging(mirror);
  const PipeResult result = pipe(source, mirror, staging, plan.requests, options);
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(result.files[0].change.wanted.size, 13U);
  EXPECT_EQ(result.files[0].change.wanted.mtime, source.clock());
  EXPECT_EQ(mirror.read("a"), "changed since");
  EXPECT_EQ(mirror.stat("a").seen.values.mtime, source.clock());
}

}  // namespace
}  // namespace ssync::transfer
