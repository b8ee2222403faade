#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

std::uintmax_t log_bytes(const std::filesystem::path& state_dir) {
  for (const auto& entry : std::filesystem::directory_iterator(state_dir))
    if (entry.path().extension() == ".log") return entry.file_size();
  return 0;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(ScannerTest, BlocksAndRowsComeInRowOrder) {
  FakeTree tree({dir("a-b", file("x")), dir("a", file("z"), dir("sub", file("deep")), file("b")),
                 link("l", "../t"), dir("empty")});
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_THAT(scanned.locations, ElementsAre("", "a", "a/sub", "a-b", "empty"));
  EXPECT_THAT(scanned.paths,
              ElementsAre("a", "a-b", "empty", "l", "a/b", "a/sub", "a/z", "a/sub/deep", "a-b/x"));
  EXPECT_EQ(scanned.rows.at("l").target, "../t");
  EXPECT_EQ(scanned.rows.at("l").kind, Kind::symlink);
  ASSERT_TRUE(scanned.self);
  EXPECT_EQ(scanned.self->values.kind, Kind::directory);
  EXPECT_THAT(scanned.problems, IsEmpty());
}

TEST_F(ScannerTest, AnEmptyTreeIsOneBlock) {
  FakeTree tree;
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_THAT(scanned.locations, ElementsAre(""));
  EXPECT_THAT(scanned.paths, IsEmpty());
}

TEST_F(ScannerTest, StateAndOpenLogsAreNoPartOfTheTree) {
  const std::string stem = std::string(32, '1');
  FakeTree tree({dir("mixed", file("mirror-" + stem + ".log"), file("other")),
                 dir("state", file("source-" + stem + ".index"), file("source-" + stem + ".log")),
                 dir("empty"), file("sync.log"), dir("d", file("sync.log"))});
  for (int i = 0; i < 2; ++i) {  // also when names are known
    tree.tick();
    index::Index idx = open_index();
    const Scanned scanned = scan(tree, idx, {.leave_out = {"sync.log"}});
    EXPECT_THAT(scanned.paths, ElementsAre("d", "empty", "mixed", "d/sync.log", "mixed/other"));
    EXPECT_THAT(scanned.holding_own, ElementsAre("", "mixed"));
    EXPECT_THAT(scanned.problems, IsEmpty());
  }
}

TEST_F(ScannerTest, AShortageIsNoFaultOfAnEntryAndEndsTheScan) {
  for (const int err : {EMFILE, ENFILE, ENOMEM}) {
    FakeTree tree({dir("a", file("x"))});
    tree.fail_at(FakeOp::open, "a", err);
    index::Index idx = open_index();
    const Scanned scanned = scan(tree, idx, {}, Commit::no);
    ASSERT_TRUE(scanned.error) << err;
    EXPECT_EQ(scanned.error->code, Errc::limit);
    EXPECT_NE(scanned.error->text().find("scanning a"), std::string::npos) << scanned.error->text();
  }
}

TEST_F(ScannerTest, StagingIsSkippedInTheRootOnly) {
  const std::string staging = ".server-sync." + std::string(32, '0');
  FakeTree tree({dir(staging, file("0")), dir("d", dir(staging, file("1"))), dir(".server-sync.short")});
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_THAT(scanned.paths, ElementsAre(".server-sync.short", "d", "d/" + staging, "d/" + staging + "/1"));
}

TEST_F(ScannerTest, WhatIsOursIsSkippedAndWhatWasStagedIsTold) {
  const std::string staging = ".server-sync." + std::string(32, '0');
  FakeTree tree(
      {dir(".server-sync.state", file("lock")), dir(staging, file("0")),
       dir("d", file(staging), file("x"), dir(".server-sync.state"), dir("e", link(staging, "t")))});
  index::Index idx = open_index(index::Role::mirror);
  for (int scans = 0; scans < 2; ++scans) {  // known names are no other
    Scanner scanner(tree, idx, {.role = index::Role::mirror});
    Scanned scanned;
    for (auto block = scanner.next(); block && *block; block = scanner.next())
      collect(**block, scanned);
    EXPECT_THAT(scanned.paths, ElementsAre("d", "d/.server-sync.state", "d/e", "d/x"));
    std::vector<std::string> left;
    for (const Leftover& found : scanner.take_leftovers())
      left.push_back(join({found.location, found.name}));
    EXPECT_THAT(left, ElementsAre(staging, "d/" + staging, "d/e/" + staging));
    ASSERT_TRUE(scanner.commit_index(idx.header()));
    tree.tick();
  }
}

TEST_F(ScannerTest, SpecialFilesAreEntriesWithoutRecord) {
  FakeTree tree({file("a"), special("fifo")});
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_THAT(scanned.paths, ElementsAre("a", "fifo"));
  EXPECT_EQ(scanned.rows.at("fifo").kind, Kind::special);
  EXPECT_TRUE(scanned.problems.empty());
  EXPECT_FALSE(open_index().find({"", "fifo"}));
}

TEST_F(ScannerTest, HardLinksAreCounted) {
  FakeTree tree({file("a", "text"), support::hard_link("b", "a"), file("c")});
  index::Index idx = open_index();
  EXPECT_EQ(scan(tree, idx).counts.hard_links, 2u);
}

fs::Volume volume_of_type(std::uint64_t type) {
  fs::Volume volume;
  volume.type = type;
  return volume;
}

TEST_F(ScannerTest, MountsAreCrossedButForTheKernelsOwn) {
  FakeTree tree({dir("disk", file("x")), dir("proc", file("cpuinfo"))});
  tree.mount("disk", volume_of_type(0xef53));
  tree.mount("proc", volume_of_type(0x9fa0));
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_THAT(scanned.paths, ElementsAre("disk", "proc", "disk/x"));
  EXPECT_THAT(scanned.locations, ElementsAre("", "disk", "proc"));
  EXPECT_THAT(scanned.problems, IsEmpty());
}

TEST_F(ScannerTest, AHugeDirectoryComesWhole) {
  support::Node huge = dir("huge");
  for (int i = 0; i < 20000; ++i)
    huge.children.push_back(file("f" + std::to_string(i)));
  FakeTree tree({huge, file("z")});
  tree.tick();
  index::Index idx = open_index();
  const Scanned first = scan(tree, idx, {.window_entries = 16});
  EXPECT_EQ(first.rows.size(), 20002u);
  EXPECT_TRUE(std::is_sorted(first.paths.begin() + 2, first.paths.end()));
  const Scanned second = scan(tree, idx);
  EXPECT_EQ(second.paths, first.paths);
  EXPECT_TRUE(
      std::none_of(second.rows.begin(), second.rows.end(), [](const auto& row) { return row.second.doubt; }));
}

TEST_F(ScannerTest, AnUnchangedTreeIsNeitherReadNorIsItsIndexWritten) {
  FakeTree tree({dir("a", file("x", "text")), file("b", "more")});
  tree.tick();
  {
    index::Index idx = open_index();
    scan(tree, idx);
    learn(tree, idx, {"a", "x"}, std::byte{7});
    scan(tree, idx);  // takes the log into the base
  }
  const auto files = [&] {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "state")) {
      struct stat status {};
      EXPECT_EQ(::stat(entry.path().c_str(), &status), 0);
      found[entry.path()] = std::to_string(status.st_ino) + " " + std::to_string(status.st_mtim.tv_sec) +
                            "." + std::to_string(status.st_mtim.tv_nsec);
    }
    return found;
  };
  const auto before = files();
  tree.clear_operations();
  index::Index idx = open_index();
  const Scanned scanned = scan(tree, idx);
  EXPECT_EQ(files(), before);
  EXPECT_TRUE(scanned.rows.at("a/x").has_checksum);
  EXPECT_FALSE(scanned.rows.at("a/x").doubt);
  for (const support::FakeOperation& operation : tree.operations())
    EXPECT_TRUE(operation.op != FakeOp::open_file && operation.op != FakeOp::read && !is_change(operation.op))
        << to_string(operation);
}

TEST_F(ScannerTest, DigestsAreGivenWhenAskedFor) {
  FakeTree tree({file("a", "text")});
  tree.tick();
  index::Index idx = open_index();
  scan(tree, idx);
  index::Record record = *idx.find({"", "a"});
  record.digest = Digest{.kind = DigestKind::md5};
  ASSERT_TRUE(idx.append({"", "a"}, record));
  const auto digest_of = [&](const Options& options) {
    Scanner scanner(tree, idx, options);
    const auto block = scanner.next();
    const ScannedEntry& entry = (*block)->entries[0];
    return std::pair(entry.has_digest, entry.digest);
  };
  using Expected = std::pair<bool, std::optional<Digest>>;
  EXPECT_EQ(digest_of({}), Expected(false, std::nullopt));
  EXPECT_EQ(digest_of({.digest_kind = DigestKind::md5}), Expected(true, std::nullopt));
  EXPECT_EQ(digest_of({.with_digests = true, .digest_kind = DigestKind::sha256}),
            Expected(false, std::nullopt));
  EXPECT_EQ(digest_of({.with_digests = true, .digest_kind = DigestKind::md5}), Expected(true, record.digest));
}

TEST_F(ScannerTest, TheRootsOwnRecordIsKept) {
  FakeTree tree({file("a")});
  tree.tick();
  index::Index idx = open_index(index::Role::mirror);
  const Scanned scanned = scan_mirror(tree, idx);
  const std::optional<index::Record> root = idx.find({"", ""});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->held, *scanned.self);
  EXPECT_EQ(root->wanted, scanned.self->values);
}

TEST_F(ScannerTest, ARealTreeIsScannedToo) {
  namespace stdfs = std::filesystem;
  const stdfs::path root = directory_ / "root";
  stdfs::create_directories(root / "d" / "e");
  stdfs::create_symlink("target", root / "d" / "l");
  { std::ofstream(root / "d" / "f") << "text"; }
  Result<fs::Root> opened = fs::Root::open(root, fs::Root::Lock::no);
  ASSERT_TRUE(opened);
  index::Index idx = open_index();
  const Scanned scanned = scan(opened->tree(), idx);
  EXPECT_THAT(scanned.paths, ElementsAre("d", "d/e", "d/f", "d/l"));
  EXPECT_THAT(scanned.locations, ElementsAre("", "d", "d/e"));
  EXPECT_EQ(scanned.rows.at("d/l").target, "target");
}

// A directory in which nothing changed is taken over from the old base; what the log knows newer must not be
// lost with that, nor what went stay.
TEST_F(ScannerTest, TheNextBaseOfAnUnchangedDirectoryHasWhatTheLogHad) {
  FakeTree tree(
      {file("a", "text"), dir("d", file("x", "text"), file("y", "more")), dir("e", file("z", "z"))});
  tree.tick();
  {
    index::Index idx = open_index();
    scan(tree, idx);
    scan(tree, idx);
    learn(tree, idx, {"d", "y"}, std::byte{7});
    ASSERT_TRUE((*tree.open("e"))->remove("z"));
    scan(tree, idx);
  }
  EXPECT_LT(log_bytes(directory_ / "state"), 100U);  // its head: all is in the base
  const index::Index idx = open_index();
  Checksum learned;
  learned.fill(std::byte{7});
  EXPECT_EQ(idx.find({"d", "y"}).value().checksum, learned);
  EXPECT_TRUE(idx.find({"d", "x"}));
  EXPECT_TRUE(idx.find({"", "a"}));
  EXPECT_FALSE(idx.find({"e", "z"}));
  EXPECT_EQ(idx.entries(), 6U);  // with the root's own
}

}  // namespace
}  // namespace ssync::scanner::test
