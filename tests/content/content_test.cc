#include "ssync/content/content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/base/text.h"
#include "ssync/content/content_readers.h"
#include "ssync/support/fake_tree.h"

namespace ssync::content {
namespace {

using support::dir;
using support::FakeOp;
using support::FakeOperation;
using support::FakeTree;
using support::file;

Checksum checksum_of_text(std::string_view text) {
  return checksum_of(std::as_bytes(std::span(text)));
}

Result<Content> read(FakeTree& tree, std::string_view name, std::optional<Seen> expected = {},
                     std::optional<DigestKind> digest = {}) {
  return ContentReader().read(*tree.open("").value(), name, expected, digest, {});
}

TEST(ContentHashTest, TellsTheChecksumOfKnownContent) {
  EXPECT_EQ(to_hex(ContentHash().checksum()),
            "99aa06d3014798d86001c324468d497f");  // XXH3-128 of nothing, seed 0
}

TEST(ContentHashTest, CountsAHoleAsZeros) {
  ContentHash with_hole;
  with_hole.add(std::as_bytes(std::span("ab", 2)));
  with_hole.add_zeros(100'000);
  EXPECT_EQ(with_hole.checksum(), checksum_of_text("ab" + std::string(100'000, '\0')));
  with_hole.reset();
  EXPECT_EQ(with_hole.checksum(), ContentHash().checksum());
}

TEST(ReadContentTest, TellsChecksumDigestAndStat) {
  FakeTree tree({file("a", "abc")});
  const Content content = read(tree, "a", tree.stat("a").seen, DigestKind::sha256).value();
  EXPECT_EQ(content.checksum, checksum_of_text("abc"));
  EXPECT_EQ(to_hex(content.digest.value().view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(content.seen, tree.stat("a").seen);
  EXPECT_EQ(to_hex(read(tree, "a", {}, DigestKind::md5).value().digest.value().view()),
            "900150983cd24fb0d6963f7d28e17f72");
}

TEST(ReadContentTest, ReadsHolesAsZeros) {
  FakeTree tree({file("a", "abc").with_size(700'000)});
  std::string same = "abc";
  same.resize(700'000);
  FakeTree dense({file("a", same)});
  const auto sparse = read(tree, "a", {}, DigestKind::sha256).value();
  const auto full = read(dense, "a", {}, DigestKind::sha256).value();
  EXPECT_EQ(sparse.checksum, full.checksum);
  EXPECT_EQ(sparse.digest, full.digest);
}

// What one file left in the reader is not part of the next; a file of up to 256 KiB is read in one piece.
TEST(ReadContentTest, ReadsFilesOfAllSizesInTurn) {
  std::vector<support::Node> files;
  const std::vector<std::size_t> sizes = {300'000, 0, 5, 262'144, 262'145, 1, 600'000, 262'143};
  for (const std::size_t size : sizes) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
      text[i] = static_cast<char>('a' + i % 23);
    files.push_back(file(std::to_string(size), text));
  }
  FakeTree tree(files);
  const auto directory = tree.open("").value();
  ContentReader reader;
  for (const std::size_t size : sizes) {
    const std::string name = std::to_string(size);
    const Content content = reader.read(*directory, name, {}, DigestKind::sha256, {}).value();
    const Content alone = read(tree, name, {}, DigestKind::sha256).value();
    EXPECT_EQ(content.checksum, checksum_of_text(tree.read(name))) << size;
    EXPECT_EQ(content.digest, alone.digest) << size;
  }
}

TEST(ReadContentTest, RefusesAnotherFile) {
  FakeTree tree({file("a", "abc")});
  const Seen expected = tree.stat("a").seen;
  tree.add(file("a", "abc"));
  EXPECT_EQ(read(tree, "a", expected).error().code, Errc::changed);
}

TEST(ReadContentTest, IgnoresInodesThatSayNothing) {
  FakeTree tree({file("a", "abc")});
  const Seen expected = tree.stat("a").seen;
  tree.add(file("a", "abc"));
  tree.set_volume({.type_name = "nfs", .stable_inodes = false});
  EXPECT_TRUE(read(tree, "a", expected));
}

TEST(ReadContentTest, ReadsAgainWhatChangedMeanwhile) {
  FakeTree tree({file("a", "abc")});
  int reads = 0;
  tree.on_operation([&](const FakeOperation& operation) {
    if (operation.op != FakeOp::read || ++reads > 1) return;
    tree.tick();
    tree.write("a", "xyz");
  });
  EXPECT_EQ(read(tree, "a").value().checksum, checksum_of_text("xyz"));
}

TEST(ReadContentTest, GivesUpOnAFileThatKeepsChanging) {
  FakeTree tree({file("a", "abc")});
  tree.on_operation([&](const FakeOperation& operation) {
    if (operation.op != FakeOp::read) return;
    tree.tick();
    tree.append("a", "x");
  });
  EXPECT_EQ(read(tree, "a").error().code, Errc::changed);
}

TEST(ReadContentTest, StopsWhenProgressSaysSo) {
  FakeTree tree({file("a", "abc")});
  const auto stop = [](std::uint64_t) { return false; };
  EXPECT_EQ(ContentReader().read(*tree.open("").value(), "a", {}, {}, stop).error().code, Errc::interrupted);
}

TEST(ContentReadersTest, AnswersEveryJobOnce) {
  FakeTree tree({dir("d", file("a", "abc"), file("b", "xyz"))});
  BoundedQueue<ContentJob> jobs(10);
  BoundedQueue<ContentResult> answers(10);
  {
    ContentReaders readers(tree, {.busy = 2, .waiting = 2}, jobs,
                           [&](ContentResult result) { ASSERT_TRUE(answers.push(std::move(result))); });
    for (std::uint64_t id = 0; id < 3; ++id) {
      ASSERT_TRUE(
          jobs.push({.id = id, .location = "d", .name = std::string(1, static_cast<char>('a' + id))}));
    }
    jobs.close();
  }
  std::map<std::uint64_t, std::string> told;
  while (std::optional<ContentResult> answer = answers.try_pop()) {
    told[answer->id] = answer->content ? to_hex(answer->content->checksum)
                                       : std::string(to_string(answer->content.error().code));
  }
  EXPECT_EQ(told, (std::map<std::uint64_t, std::string>{{0, to_hex(checksum_of_text("abc"))},
                                                        {1, to_hex(checksum_of_text("xyz"))},
                                                        {2, "not_found"}}));
}

}  // namespace
}  // namespace ssync::content
