#include <sys/stat.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "support.h"

namespace ssync::index::test {
namespace {

using Found = Index::Cursor::Found;
namespace fs = std::filesystem;

/// What tells whether a file was written or replaced.
struct Identity {
  ino_t inode = 0;
  std::int64_t mtime_s = 0, mtime_ns = 0;
  off_t size = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};
Identity identity_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size};
}

Header sample_header() {
  Header header;
  header.source_id = "machine:/source";
  header.root.type = 0xef53;
  header.root.volume_id = 77;
  header.root.inode = 2;
  header.root.birth = FileTime{1'600'000'000, 5};
  header.attributes = {.mtime_granularity_ns = 1'000'000'000,
                       .mode_mask = 0777,
                       .owner = true,
                       .symlinks = false,
                       .mtime_least_s = -2147483648,
                       .mtime_greatest_s = 2147483647};
  header.attributes_known = true;
  header.attributes_uid = 1000;
  header.synced_count = 12;
  header.root.links = 0x1234567890abcdef;
  header.root.levels = 3;
  return header;
}

TEST_F(IndexTest, FirstContactHasNothingAndMakesAPrivateDirectory) {
  const Index index = open();
  EXPECT_FALSE(index.exists());
  EXPECT_EQ(index.header().root_path, "/data");
  EXPECT_EQ(index.header().role, Role::mirror);
  EXPECT_EQ(index.entries(), 0u);
  EXPECT_EQ(index.find({"", "a"}), std::nullopt);
  EXPECT_TRUE(index.damage().empty());
  EXPECT_EQ(fs::status(state_dir()).permissions(), fs::perms::owner_all);
}

TEST_F(IndexTest, WhatWasWrittenIsFoundAfterReopening) {
  Header expected = sample_header();
  expected.role = Role::mirror;
  expected.root_path = "/data";
  const Contents tree = sample_tree();
  {
    Index index = open();
    write(index, tree, sample_header());
    EXPECT_EQ(read(index, tree), tree);
  }
  const Index index = open();
  EXPECT_TRUE(index.exists());
  EXPECT_EQ(index.header(), expected);
  EXPECT_EQ(index.entries(), 707u);
  EXPECT_EQ(read(index, tree), tree);
  EXPECT_TRUE(index.damage().empty());
}

TEST_F(IndexTest, FindsInAnyOrder) {
  Index index = open();
  const Contents tree = sample_tree();
  write(index, tree);
  for (const auto& [location, rows] : tree)
    for (const auto& [name, record] : rows)
      ASSERT_EQ(index.find({location, name}), record) << location << "/" << name;
  for (const PathView path :
       {PathView{"a/big", "file"}, {"a/big", "file_zzz"}, {"a/big", "file_35x"}, {"b", "x"}})
    EXPECT_EQ(index.find(path), std::nullopt);
}

TEST_F(IndexTest, ACursorSkipsAndSaysNoForNamesThatAreNotThere) {
  Index index = open();
  write(index, {{"d", {{"b", record_of(1)}, {"d", record_of(2)}, {"e", record_of(4)}}}});
  Index::Cursor cursor = index.directory("d");
  Record record;
  EXPECT_EQ(cursor.find("a", record), Found::no);
  EXPECT_EQ(cursor.find("c", record), Found::no);
  EXPECT_EQ(cursor.find("d", record), Found::yes);
  EXPECT_EQ(record, record_of(2));
  EXPECT_EQ(cursor.find("f", record), Found::no);
  EXPECT_EQ(index.directory("missing").find("a", record), Found::no);
}

TEST_F(IndexTest, RootsAndRolesAreKeptApart) {
  Index one = open("/data");
  write(one, {{"", {{"a", record_of(1)}}}});
  EXPECT_FALSE(open("/data2").exists());
  EXPECT_FALSE(open("/data", Role::source).exists());
  EXPECT_TRUE(open("/data").exists());
}

TEST_F(IndexTest, AnotherRootsFileIsUnknownAsAWhole) {
  Index one = open("/data");
  write(one, {{"", {{"a", record_of(1)}}}});
  const fs::path theirs = file(".index");
  Index two = open("/other");
  write(two, {{"", {{"b", record_of(2)}}}});
  for (const auto& entry : fs::directory_iterator(state_dir()))
    if (entry.path() != theirs) fs::copy_file(theirs, entry.path(), fs::copy_options::overwrite_existing);
  const Index copied = open("/other");
  Record record;
  EXPECT_TRUE(copied.exists());
  EXPECT_EQ(copied.directory("").find("a", record), Found::unreadable);
  EXPECT_FALSE(copied.damage().empty());
}

TEST_F(IndexTest, EqualContentTouchesNoFile) {
  Index index = open();
  write(index, sample_tree(), sample_header());
  const Identity before = identity_of(file(".index"));
  Index again = open();
  write(again, sample_tree(), sample_header());
  write(again, sample_tree(), again.header());
  EXPECT_EQ(identity_of(file(".index")), before);
  EXPECT_EQ(file(".log"), fs::path());
}

TEST_F(IndexTest, ADifferenceAnywhereGivesTheNewContent) {
  const Contents tree = sample_tree();
  for (const auto& [location, rows] : tree) {
    for (const std::string name : {"", "file_1", "file_300", "file_99", "odd", "x", "zzz"}) {
      if (name.empty() && !location.empty()) continue;
      Index index = open("/" + location + name);
      write(index, tree);
      Contents changed = tree;
      changed[location][name] = record_of(5000);
      write(index, changed);
      ASSERT_EQ(read(open("/" + location + name), changed), changed) << location << "/" << name;
    }
  }
}

// What is kept must be what adding it again gives, byte for byte, whatever changed before or after it.
TEST_F(IndexTest, KeepingADirectoryIsAddingAllOfIt) {
  const auto next_base = [this](const Contents& before, const Contents& after, bool keeps) {
    fs::remove_all(state_dir());
    Index index = open();
    write(index, before);
    Result<Index::Writer> writer = index.rewrite();
    for (const auto& [location, rows] : after) {
      if (keeps && before.contains(location) && before.at(location) == rows) {
        EXPECT_TRUE(writer->keep_directory(location)) << location;
      } else {
        add_all(*writer, {{location, rows}});
      }
    }
    EXPECT_TRUE(index.commit(*std::move(writer), {}));
    EXPECT_EQ(read(index, after), after);
    return read_file(file(".index"));
  };
  Contents tree = sample_tree();
  for (std::uint64_t i = 0; i < 512; ++i)  // two whole blocks
    tree["even"]["file_" + std::to_string(i)] = record_of(2000 + i);
  EXPECT_EQ(next_base(tree, tree, true), next_base(tree, tree, false));
  for (const auto& [location, rows] : tree) {
    Contents changed = tree;
    changed[location]["zzz"] = record_of(5000);
    EXPECT_EQ(next_base(tree, changed, true), next_base(tree, changed, false)) << location;
    if (location.empty()) continue;
    changed.erase(location);
    EXPECT_EQ(next_base(tree, changed, true), next_base(tree, changed, false)) << location;
    EXPECT_EQ(next_base(changed, tree, true), next_base(changed, tree, false)) << location;
  }
}

TEST_F(IndexTest, KeepingAllTouchesNoFile) {
  Index index = open();
  write(index, sample_tree(), sample_header());
  const Identity before = identity_of(file(".index"));
  Result<Index::Writer> writer = index.rewrite();
  for (const auto& [location, rows] : sample_tree())
    ASSERT_TRUE(writer->keep_directory(location));
  ASSERT_TRUE(index.commit(*std::move(writer), sample_header()));
  EXPECT_EQ(identity_of(file(".index")), before);
}

TEST_F(IndexTest, WhatTheBaseDoesNotHaveCannotBeKept) {
  Index index = open();
  Result<Index::Writer> first = index.rewrite();
  EXPECT_EQ(first->keep_directory("a").error().code, Errc::corrupt);
  write(index, sample_tree());
  Result<Index::Writer> writer = index.rewrite();
  EXPECT_EQ(writer->keep_directory("absent").error().code, Errc::corrupt);
  EXPECT_EQ(writer->keep_directory("a").error().code, Errc::invalid_argument);
}

TEST_F(IndexTest, ACursorSaysWhatIsTheBasesOwn) {
  Index index = open();
  write(index, sample_tree());
  ASSERT_TRUE(index.append({"", "link"}, record_of(77, Kind::symlink)));
  Index::Cursor root = index.directory("");
  EXPECT_EQ(root.rows_in_base(), sample_tree().at("").size());
  Record record;
  ASSERT_EQ(root.find("a", record), Index::Cursor::Found::yes);
  EXPECT_TRUE(root.is_of_base());
  ASSERT_EQ(root.find("link", record), Index::Cursor::Found::yes);
  EXPECT_FALSE(root.is_of_base());
  ASSERT_EQ(root.find("nothing", record), Index::Cursor::Found::no);
  EXPECT_FALSE(root.is_of_base());
  EXPECT_EQ(index.directory("absent").rows_in_base(), std::nullopt);
}

TEST_F(IndexTest, ACursorGivesTheNamesOfTheBase) {
  const Contents tree = sample_tree();
  Index index = open();
  write(index, tree);
  ASSERT_TRUE(index.append({"a", "newer"}, record_of(7)));
  for (const auto& [location, rows] : tree) {
    Index::Cursor cursor = index.directory(location);
    EXPECT_TRUE(cursor.is_whole());
    std::size_t number = 0;
    for (const auto& [expected, record] : rows) {
      EXPECT_EQ(cursor.next_name(), expected);
      if (++number % 3 == 0) continue;  // not asked for
      Record found;
      ASSERT_EQ(cursor.find(expected, found), Found::yes) << expected;
      EXPECT_EQ(found, record);
    }
    EXPECT_EQ(cursor.next_name(), std::nullopt);
  }
  EXPECT_FALSE(index.directory("missing").is_whole());
  EXPECT_EQ(index.directory("missing").next_name(), std::nullopt);
  EXPECT_FALSE(open("/other").directory("").is_whole());
}

TEST_F(IndexTest, ARecordWithWhatItsKindDoesNotHaveIsRefused) {
  Index index = open();
  Record record = record_of(2, Kind::directory);
  record.held.values.size = 1;
  EXPECT_EQ(index.append({"", "a"}, record).error().code, Errc::invalid_argument);
  record = record_of(2);
  record.names = 0;
  EXPECT_EQ(index.append({"", "a"}, record).error().code, Errc::invalid_argument);
}

TEST_F(IndexTest, RowsAndDirectoriesThatWentAreGone) {
  Index index = open();
  write(index, sample_tree());
  Contents smaller = sample_tree();
  smaller.erase("a-b");
  smaller["a/big"].erase("file_99");
  write(index, smaller);
  const Index again = open();
  EXPECT_EQ(read(again, sample_tree())["a-b"].size(), 0u);
  EXPECT_EQ(read(again, smaller), smaller);
  EXPECT_EQ(again.entries(), 705u);
  EXPECT_EQ(again.find({"a/big", "file_99"}), std::nullopt);
}

TEST_F(IndexTest, OnlyDirectoriesAtTheEndRemovedIsADifference) {
  Index index = open();
  write(index, {{"", {{"a", record_of(1)}}}, {"a", {}}});
  write(index, {{"", {{"a", record_of(1)}}}});
  EXPECT_EQ(open().entries(), 1u);
}

TEST_F(IndexTest, AnAbandonedWriterLeavesTheOldBaseAndNoFile) {
  Index index = open();
  write(index, sample_tree());
  {
    Result<Index::Writer> writer = index.rewrite();
    ASSERT_TRUE(writer);
    add_all(*writer, {{"", {{"other", record_of(1)}}}, {"other", {}}});
    EXPECT_NE(file(".new." + std::to_string(::getpid())), fs::path());
  }
  EXPECT_EQ(file(".new." + std::to_string(::getpid())), fs::path());
  EXPECT_EQ(read(open(), sample_tree()), sample_tree());
}

TEST_F(IndexTest, LeftoversOfAKilledRunAreRemoved) {
  Index index = open();
  write(index, sample_tree());
  const fs::path leftover = file(".index").string() + ".new.999999999";
  write_file(leftover, "half a base");
  write(index, {{"", {{"a", record_of(1)}}}});
  EXPECT_FALSE(fs::exists(leftover));
}

TEST_F(IndexTest, RowsOutOfOrderAreRefused) {
  Index index = open();
  Result<Index::Writer> writer = index.rewrite();
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->add("early", record_of(1)).error().code, Errc::invalid_argument);
  ASSERT_TRUE(writer->begin_directory("b"));
  ASSERT_TRUE(writer->add("m", record_of(1)));
  EXPECT_EQ(writer->add("m", record_of(1)).error().code, Errc::invalid_argument);
  EXPECT_EQ(writer->add("a", record_of(1)).error().code, Errc::invalid_argument);
  EXPECT_EQ(writer->add("", record_of(1)).error().code, Errc::invalid_argument);
  EXPECT_EQ(writer->begin_directory("a").error().code, Errc::invalid_argument);
}

TEST_F(IndexTest, FindsFilesByInodeAcrossPagesAndDevices) {
  Index index = open();
  Contents tree;
  for (std::uint64_t i = 0; i < 2000; ++i)
    tree["d" + std::to_string(i % 10)]["f" + std::to_string(i)] = record_of(i);
  write(index, tree);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Record record = record_of(i);
    const std::optional<InodeHit> hit = index.find_inode(record.held.device, record.held.inode);
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->location, "d" + std::to_string(i % 10));
    EXPECT_EQ(hit->name, "f" + std::to_string(i));
    EXPECT_EQ(hit->record, record);
    EXPECT_FALSE(index.find_inode(record.held.device + 100, record.held.inode));
  }
  EXPECT_FALSE(index.find_inode(42, 1));
  EXPECT_FALSE(index.find_inode(42, 1u << 30));
}

// More than are held while a base is written: they go through a file, in several sorted runs.
TEST_F(IndexTest, FindsFilesByInodeAmongMany) {
  constexpr std::uint64_t kMany = 300'000;
  const auto location_of = [](std::uint64_t i) { return "d" + std::to_string(1000 + i / 1000); };
  const auto name_of = [](std::uint64_t i) { return "f" + std::to_string(1000 + i % 1000); };
  Record record = record_of(2);
  const auto inode_of = [](std::uint64_t i) { return (i * 7919) % kMany / 2; };  // each twice, far apart
  Index index = open();
  Result<Index::Writer> writer = index.rewrite();
  for (std::uint64_t i = 0; i < kMany; ++i) {
    if (i % 1000 == 0) {
      ASSERT_TRUE(writer->begin_directory(location_of(i)));
    }
    record.held.inode = inode_of(i);
    ASSERT_TRUE(writer->add(name_of(i), record));
  }
  ASSERT_TRUE(index.commit(*std::move(writer), {}));
  for (const auto& entry : fs::directory_iterator(state_dir()))
    EXPECT_EQ(entry.path(), file(".index"));
  std::map<std::uint64_t, std::uint64_t> first;
  for (std::uint64_t i = 0; i < kMany; ++i)
    first.try_emplace(inode_of(i), i);
  ASSERT_EQ(first.size(), kMany / 2);
  const Index again = open();
  for (std::uint64_t inode = 0; inode < kMany / 2; inode += 97) {
    const std::optional<InodeHit> hit = again.find_inode(record.held.device, inode);
    ASSERT_TRUE(hit) << inode;
    EXPECT_EQ(hit->location, location_of(first[inode]));
    EXPECT_EQ(hit->name, name_of(first[inode]));
  }
  EXPECT_TRUE(again.damage().empty());
}

TEST_F(IndexTest, TheFirstOfSeveralLinksIsTheHitAndDirectoriesAreNone) {
  Index index = open();
  const Record file = record_of(2);
  Contents tree = {{"", {{"d", record_of(8, Kind::directory)}}}};
  for (int i = 0; i < 600; ++i)
    tree["d"]["link" + std::to_string(1000 + i)] = file;
  write(index, tree);
  const std::optional<InodeHit> hit = index.find_inode(file.held.device, file.held.inode);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->name, "link1000");
  EXPECT_FALSE(index.find_inode(record_of(8).held.device, record_of(8).held.inode));
}

TEST_F(IndexTest, InodesAreFoundAfterAPrefixWasTakenOver) {
  Index index = open();
  write(index, sample_tree());
  Contents changed = sample_tree();
  changed["a/big"]["file_500"] = record_of(7000);
  write(index, changed);
  for (const auto& [location, rows] : changed) {
    for (const auto& [name, record] : rows) {
      const std::optional<InodeHit> hit = index.find_inode(record.held.device, record.held.inode);
      ASSERT_EQ(hit.has_value(), record.held.values.kind == Kind::file) << location << "/" << name;
      if (hit) {
        ASSERT_EQ(hit->name, name);
      }
    }
  }
}

TEST_F(IndexTest, TheStateDirectoryComesFromTheEnvironment) {
  const char* const state = std::getenv("XDG_STATE_HOME");
  const std::string saved = state != nullptr ? state : "";
  ::setenv("XDG_STATE_HOME", "/x/state", 1);
  EXPECT_EQ(default_state_dir(), "/x/state/server-sync");
  ::setenv("XDG_STATE_HOME", "relative", 1);
  const char* const home = std::getenv("HOME");
  if (home != nullptr) {
    EXPECT_EQ(default_state_dir(), std::string(home) + "/.local/state/server-sync");
  }
  state != nullptr ? ::setenv("XDG_STATE_HOME", saved.c_str(), 1) : ::unsetenv("XDG_STATE_HOME");
}

TEST_F(IndexTest, AnUnusableStateDirectoryIsAnError) {
  write_file(directory_ / "plain", "");
  const Result<Index> index = Index::open((directory_ / "plain" / "state").string(), Role::source, "/data");
  ASSERT_FALSE(index);
  EXPECT_NE(index.error().text().find("state directory"), std::string::npos);
}

TEST_F(IndexTest, WithoutAStateDirectoryNothingIsKnownAndNothingIsAnError) {
  write_file(directory_ / "plain", "");
  Index index = Index::open_or_none((directory_ / "plain" / "state").string(), Role::mirror, "/data");
  EXPECT_NE(index.trouble().find("state directory"), std::string::npos) << index.trouble();
  EXPECT_FALSE(index.exists());
  EXPECT_TRUE(index.header().source_id.empty());
  EXPECT_EQ(index.header().root_path, "/data");
  EXPECT_FALSE(index.rewrite());
  EXPECT_TRUE(index.append({"", "a"}, record_of(1)));
  EXPECT_TRUE(index.append_removed({"", "b"}));
  EXPECT_TRUE(index.append_header(sample_header()));
  EXPECT_TRUE(index.flush_log(Index::Durable::yes));
  EXPECT_EQ(index.find({"", "a"}), std::nullopt);
  EXPECT_EQ(index.find_inode(1, 2), std::nullopt);
  Record record;
  EXPECT_EQ(index.directory("").find("a", record), Index::Cursor::Found::no);
}

TEST_F(IndexTest, OneThatCanBeHadHasNoTrouble) {
  const Index index = Index::open_or_none(state_dir(), Role::mirror, "/data");
  EXPECT_EQ(index.trouble(), "");
}

TEST_F(IndexTest, StateFilesAreKnownByTheirNames) {
  const std::string stem = "source-" + std::string(32, 'a');
  for (const std::string& name :
       {stem + ".index", stem + ".log", stem + ".index.new.123",
        "mirror-" + std::string(32, '0') + ".log.new.1", std::string("server-sync.machine-id")})
    EXPECT_TRUE(is_state_file_name(name)) << name;
  for (const std::string& name :
       {stem, stem + ".txt", stem + ".index.old", stem + ".index.new.", stem + ".log.new.x",
        "source-" + std::string(32, 'g') + ".index", std::string("machine-id"), std::string()})
    EXPECT_FALSE(is_state_file_name(name)) << name;
}

}  // namespace
}  // namespace ssync::index::test
