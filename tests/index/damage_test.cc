// A base whose bytes were changed or cut: every answer is the record that was written, or "unreadable". Never
// "no", never another record, no crash.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "support.h"

namespace ssync::index::test {
namespace {

using Found = Index::Cursor::Found;

class IndexDamageTest : public IndexTest {
 protected:
  IndexDamageTest() {
    Index index = open();
    write(index, tree_);
    path_ = file(".index");
    bytes_ = read_file(path_);
  }

  struct Answers {
    std::size_t right = 0, unreadable = 0, wrong = 0;
    std::size_t names_of = 0;  ///< so many directories
  };
  Answers ask(const std::string& bytes) const {
    write_file(path_, bytes);
    const Index index = open();
    Answers answers;
    for (const auto& [location, rows] : tree_) {
      Index::Cursor cursor = index.directory(location);
      for (const auto& [name, expected] : rows) {
        Record record;
        const Found found = cursor.find(name, record);
        if (found == Found::unreadable) {
          ++answers.unreadable;
        } else {
          ++(found == Found::yes && record == expected ? answers.right : answers.wrong);
        }
      }
    }
    for (const auto& [location, rows] : tree_) {
      Index::Cursor cursor = index.directory(location);
      const bool all = cursor.is_whole();
      std::vector<std::string> names;
      while (const auto name = cursor.next_name())
        names.emplace_back(*name);
      const bool equal = std::ranges::equal(names, rows, {}, {}, [](const auto& row) { return row.first; });
      if (all && !equal) ++answers.wrong;
      if (all) ++answers.names_of;
    }
    const std::optional<Record> found = index.find({"a/big", "file_500"});
    if (found && *found != record_of(600)) ++answers.wrong;
    const std::optional<InodeHit> hit =
        index.find_inode(record_of(600).held.device, record_of(600).held.inode);
    if (hit && (hit->name != "file_500" || hit->record != record_of(600))) ++answers.wrong;
    if (answers.unreadable != 0 && index.damage().empty()) ++answers.wrong;
    return answers;
  }
  [[nodiscard]] static std::size_t rows() { return 707; }

  const Contents tree_ = sample_tree();
  std::filesystem::path path_;
  std::string bytes_;
};

TEST_F(IndexDamageTest, AChangedByteGivesTheRecordOrUnreadable) {
  const char* const given = std::getenv("SSYNC_SEED");
  const auto seed = static_cast<std::uint32_t>(given != nullptr ? std::atoi(given) : 20260101);
  SCOPED_TRACE("SSYNC_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t some_right = 0;
  // Some, and all of the last 300 (header and trailer) and the first 64.
  for (std::size_t at = 0; at < bytes_.size();
       at += (at < 64 || at + 300 > bytes_.size()) ? 1 : 1 + random() % 199) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + random() % 255));
    const Answers answers = ask(changed);
    ASSERT_EQ(answers.wrong, 0u) << "byte " << at;
    ASSERT_EQ(answers.right + answers.unreadable, rows()) << "byte " << at;
    if (answers.right != 0) ++some_right;
  }
  EXPECT_GT(some_right, 100u);  // damage in a block leaves the others
}

TEST_F(IndexDamageTest, ATruncatedFileIsUnreadableAsAWhole) {
  for (std::size_t size = 0; size < bytes_.size(); size += 1 + bytes_.size() / 97) {
    const Answers answers = ask(bytes_.substr(0, size));
    ASSERT_EQ(answers.unreadable, rows()) << size;
    ASSERT_EQ(answers.wrong, 0u) << size;
  }
  EXPECT_EQ(ask(bytes_ + "x").unreadable, rows());
}

TEST_F(IndexDamageTest, ZeroedStretchesAndForeignBytesAreNoTrouble) {
  for (std::size_t at = 0; at + 512 < bytes_.size(); at += 4099) {
    std::string changed = bytes_;
    changed.replace(at, 512, 512, '\0');
    ASSERT_EQ(ask(changed).wrong, 0u) << at;
    changed.replace(at, 512, bytes_.substr((at + 8192) % (bytes_.size() - 512), 512));
    ASSERT_EQ(ask(changed).wrong, 0u) << at;
  }
}

TEST_F(IndexDamageTest, AFileCutWhileOpenIsUnreadable) {
  const Index index = open();
  std::filesystem::resize_file(path_, 100);
  Record record;
  EXPECT_EQ(index.directory("a/big").find("file_5", record), Found::unreadable);
  EXPECT_EQ(index.find_inode(record_of(600).held.device, record_of(600).held.inode), std::nullopt);
}

TEST_F(IndexDamageTest, OneDamagedBlockLeavesTheRestOfItsDirectory) {
  std::string changed = bytes_;
  changed[bytes_.size() * 2 / 5] ^= 1;  // the middle block of a/big
  const Answers answers = ask(changed);
  EXPECT_EQ(answers.unreadable, 256u);
  EXPECT_EQ(answers.names_of, tree_.size() - 1);
  EXPECT_EQ(answers.right, rows() - 256);
}

// What a scan read a moment ago and cannot be read now must not be missing from the next base unsaid.
TEST_F(IndexDamageTest, ADirectoryWithADamagedBlockCannotBeKept) {
  for (const double part : {0.2, 0.4, 0.55}) {  // blocks of a/big
    std::string changed = bytes_;
    changed[static_cast<std::size_t>(static_cast<double>(bytes_.size()) * part)] ^= 1;
    write_file(path_, changed);
    Index index = open();
    Result<Index::Writer> writer = index.rewrite();
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->keep_directory(""));
    ASSERT_TRUE(writer->keep_directory("a"));
    const Result<void> kept = writer->keep_directory("a/big");
    ASSERT_FALSE(kept) << part;
    EXPECT_EQ(kept.error().code, Errc::corrupt);
  }
}

// Damage behind a directory is none of its business: the next base must get rid of it.
TEST_F(IndexDamageTest, WhatStandsBeforeADamagedBlockIsKept) {
  Contents tree = {{"", {{"a", record_of(1)}}}, {"gone", {}}, {"z", {{"x", record_of(2)}}}};
  for (std::uint64_t i = 0; i < 256; ++i)  // one whole block, so more of it might follow
    tree["full"]["f" + std::to_string(i)] = record_of(100 + i);
  for (std::uint64_t i = 0; i < 50; ++i)
    tree["gone"]["g" + std::to_string(i)] = record_of(1000 + i);
  {
    Index index = open("/other");
    write(index, tree);
  }
  std::filesystem::path path;
  for (const auto& entry : std::filesystem::directory_iterator(state_dir()))
    if (entry.path() != path_ && entry.path().extension() == ".index") path = entry.path();
  std::string changed = read_file(path);
  const std::size_t at = changed.find("gone");
  ASSERT_NE(at, std::string::npos);
  changed[at + 40] ^= 1;
  write_file(path, changed);
  tree.erase("gone");
  Index index = open("/other");
  Result<Index::Writer> writer = index.rewrite();
  ASSERT_TRUE(writer);
  for (const auto& [location, rows] : tree)
    ASSERT_TRUE(writer->keep_directory(location)) << location;
  ASSERT_TRUE(index.commit(*std::move(writer), {}));
  const Index again = open("/other");
  EXPECT_EQ(read(again, tree), tree);
  EXPECT_TRUE(again.damage().empty());
}

TEST_F(IndexDamageTest, TheNextBaseIsWholeAgain) {
  for (std::size_t at = 8; at < bytes_.size(); at += 1 + bytes_.size() / 61) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(~changed[at]);
    write_file(path_, changed);
    Index index = open();
    static_cast<void>(index.find_inode(record_of(600).held.device, record_of(600).held.inode));
    Contents next = tree_;
    next["a/big"]["file_650"] = record_of(4000);
    write(index, next);
    const Index again = open();
    ASSERT_EQ(read(again, next), next) << at;
    ASSERT_TRUE(again.damage().empty()) << at;
  }
}

TEST_F(IndexDamageTest, ADirectoryInItsPlaceIsUnreadable) {
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  const Index index = open();
  Record record;
  EXPECT_TRUE(index.exists());
  EXPECT_EQ(index.directory("").find("a", record), Found::unreadable);
}

}  // namespace
}  // namespace ssync::index::test
