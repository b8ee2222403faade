#include <filesystem>

#include <gtest/gtest.h>

#include "support.h"

namespace ssync::index::test {
namespace {

using Found = Index::Cursor::Found;
namespace fs = std::filesystem;

class IndexLogTest : public IndexTest {
 protected:
  IndexLogTest() {
    Index index = open();
    write(index, base_);
  }
  static void flush(Index& index) { ASSERT_TRUE(index.flush_log(Index::Durable::yes)); }

  const Contents base_ = {{"", {{"a", record_of(1)}, {"b", record_of(2)}, {"c", record_of(4)}}}};
};

TEST_F(IndexLogTest, AppendedRecordsAreSeenAtOnceAndAfterReopening) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "b"}, record_of(20)));
  ASSERT_TRUE(index.append({"new", "file"}, record_of(21)));
  ASSERT_TRUE(index.append({"", "b"}, record_of(22)));
  ASSERT_TRUE(index.append_removed({"", "c"}));
  flush(index);
  const Index again = open();
  for (const Index* seen : std::initializer_list<const Index*>{&index, &again}) {
    EXPECT_EQ(seen->find({"", "a"}), record_of(1));
    EXPECT_EQ(seen->find({"", "b"}), record_of(22));
    EXPECT_EQ(seen->find({"", "c"}), std::nullopt);
    EXPECT_EQ(seen->find({"new", "file"}), record_of(21));
    Index::Cursor cursor = seen->directory("");
    Record record;
    EXPECT_EQ(cursor.find("b", record), Found::yes);
    EXPECT_EQ(record, record_of(22));
    EXPECT_EQ(cursor.find("c", record), Found::no);
  }
}

TEST_F(IndexLogTest, WithoutAFlushNothingIsWritten) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "b"}, record_of(20)));
  EXPECT_EQ(open().find({"", "b"}), record_of(2));
  EXPECT_EQ(file(".log"), fs::path());
}

TEST_F(IndexLogTest, ALogWithoutABaseIsKept) {
  Index index = open("/fresh");
  ASSERT_TRUE(index.append({"x", "y"}, record_of(5)));
  flush(index);
  const Index again = open("/fresh");
  EXPECT_FALSE(again.exists());
  EXPECT_EQ(again.find({"x", "y"}), record_of(5));
}

TEST_F(IndexLogTest, ACommitDropsTheLog) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "b"}, record_of(20)));
  flush(index);
  Contents merged = base_;
  merged[""]["b"] = record_of(20);
  write(index, merged);
  EXPECT_EQ(file(".log"), fs::path());
  EXPECT_EQ(open().find({"", "b"}), record_of(20));
}

TEST_F(IndexLogTest, WhatWasAppendedWhileTheScanRanOutlivesTheCommit) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "a"}, record_of(10)));
  Result<Index::Writer> writer = index.rewrite();
  ASSERT_TRUE(writer);
  add_all(*writer, {{"", {{"a", record_of(10)}, {"b", record_of(30)}}}});
  ASSERT_TRUE(index.append({"", "b"}, record_of(31)));
  flush(index);
  ASSERT_TRUE(index.append({"", "z"}, record_of(32)));
  ASSERT_TRUE(index.commit(*std::move(writer), {}));
  flush(index);
  const Index again = open();
  for (const Index* seen : std::initializer_list<const Index*>{&index, &again}) {
    EXPECT_EQ(seen->find({"", "a"}), record_of(10));
    EXPECT_EQ(seen->find({"", "b"}), record_of(31));
    EXPECT_EQ(seen->find({"", "z"}), record_of(32));
    EXPECT_EQ(seen->find({"", "c"}), std::nullopt);
  }
}

TEST_F(IndexLogTest, MuchThatWasAppendedWhileTheScanRanOutlivesTheCommit) {
  const auto path = [](std::uint64_t i) { return "f" + std::to_string(i); };
  Index index = open();
  Result<Index::Writer> writer = index.rewrite();
  ASSERT_TRUE(writer);
  add_all(*writer, {{"", {{"a", record_of(10)}}}});
  for (std::uint64_t i = 0; i < 30000; ++i)
    ASSERT_TRUE(index.append({"d", path(i)}, record_of(i)));
  for (std::uint64_t i = 0; i < 30000; i += 3)
    ASSERT_TRUE(index.append_removed({"d", path(i)}));
  for (std::uint64_t i = 0; i < 30000; i += 6)
    ASSERT_TRUE(index.append({"d", path(i)}, record_of(i + 1)));
  ASSERT_TRUE(index.commit(*std::move(writer), {}));
  ASSERT_TRUE(index.append({"d", "last"}, record_of(7)));
  flush(index);
  const Index again = open();
  for (const Index* seen : std::initializer_list<const Index*>{&index, &again}) {
    for (std::uint64_t i = 0; i < 30000; ++i) {
      std::optional<Record> expected = record_of(i);
      if (i % 3 == 0) expected = i % 6 == 0 ? std::optional(record_of(i + 1)) : std::nullopt;
      ASSERT_EQ(seen->find({"d", path(i)}), expected) << i;
    }
    EXPECT_EQ(seen->find({"d", "last"}), record_of(7));
  }
}

TEST_F(IndexLogTest, TheLogOfAnOlderBaseIsIgnored) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "b"}, record_of(20)));
  flush(index);
  const std::string old_log = read_file(file(".log"));
  const std::string log_name = file(".log");
  write(index, {{"", {{"b", record_of(40)}}}});
  write_file(log_name, old_log);  // as a crash between the two renames would leave it
  Index again = open();
  EXPECT_EQ(again.find({"", "b"}), record_of(40));
  EXPECT_TRUE(again.damage().empty());
  ASSERT_TRUE(again.append({"", "b"}, record_of(41)));
  flush(again);
  EXPECT_EQ(open().find({"", "b"}), record_of(41));
}

TEST_F(IndexLogTest, AHeaderIsAppendedAndAnIdleScanKeepsIt) {
  Index index = open();
  Header header = index.header();
  header.source_id = "host:/src";
  header.synced_count = 3;
  ASSERT_TRUE(index.append_header(header));
  ASSERT_TRUE(index.append_header(header));
  flush(index);
  const auto written = fs::last_write_time(file(".log"));
  Index again = open();
  EXPECT_EQ(again.header(), header);
  write(again, base_, again.header());
  EXPECT_EQ(fs::last_write_time(file(".log")), written);
  EXPECT_EQ(open().header(), header);
}

TEST_F(IndexLogTest, AHeaderThatComesWithACommitOfEqualContentGoesToTheLog) {
  Index index = open();
  const auto written = fs::last_write_time(file(".index"));
  Header header = index.header();
  header.synced_count = 9;
  write(index, base_, header);
  EXPECT_EQ(fs::last_write_time(file(".index")), written);
  EXPECT_EQ(open().header(), header);
  header.synced_count = 0;
  write(index, base_, header);
  EXPECT_EQ(file(".log"), fs::path());
  EXPECT_EQ(open().header(), header);
}

TEST_F(IndexLogTest, AnInodeHitShowsWhatTheLogKnowsOfThatPath) {
  Index index = open();
  Record read = record_of(2);
  read.checksum.emplace().fill(std::byte{9});
  ASSERT_TRUE(index.append({"", "b"}, read));
  const std::optional<InodeHit> hit = index.find_inode(read.held.device, read.held.inode);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->record, read);
  ASSERT_TRUE(index.append_removed({"", "b"}));
  EXPECT_FALSE(index.find_inode(read.held.device, read.held.inode));
}

TEST_F(IndexLogTest, AnotherProcessMayAppendToTheSameLog) {
  Index one = open();
  ASSERT_TRUE(one.append({"", "a"}, record_of(50)));
  flush(one);
  Index two = open();
  ASSERT_TRUE(one.append({"", "b"}, record_of(51)));
  ASSERT_TRUE(two.append({"", "c"}, record_of(52)));
  ASSERT_TRUE(two.append({"", "d"}, record_of(53)));
  flush(one);
  flush(two);
  EXPECT_EQ(two.find({"", "c"}), record_of(52));
  EXPECT_EQ(two.find({"", "d"}), record_of(53));
  const Index again = open();
  EXPECT_EQ(again.find({"", "a"}), record_of(50));
  EXPECT_EQ(again.find({"", "b"}), record_of(51));
  EXPECT_EQ(again.find({"", "c"}), record_of(52));
}

TEST_F(IndexLogTest, ManyRecordsAreFoundAgain) {
  Index index = open();
  for (std::uint64_t i = 0; i < 30000; ++i)
    ASSERT_TRUE(index.append({"d" + std::to_string(i % 100), "f" + std::to_string(i)}, record_of(i)));
  flush(index);
  const Index again = open();
  for (std::uint64_t i = 0; i < 30000; i += 7)
    ASSERT_EQ(again.find({"d" + std::to_string(i % 100), "f" + std::to_string(i)}), record_of(i));
}

// Who appends much and asks nothing gets no table; whoever asks then must be told the same.
TEST_F(IndexLogTest, WhatWasAppendedUnaskedIsFoundWhenSomebodyAsks) {
  const auto path = [](std::uint64_t i) { return "f" + std::to_string(i); };
  constexpr std::uint64_t kMany = 20000;
  Index one = open();
  for (std::uint64_t i = 0; i < kMany; ++i)
    ASSERT_TRUE(one.append({"d", path(i)}, record_of(i)));
  flush(one);
  Index other = open();
  ASSERT_TRUE(other.append({"other", "x"}, record_of(5)));
  flush(other);  // in front of what the first has pending
  for (std::uint64_t i = 0; i < kMany; i += 2)
    ASSERT_TRUE(one.append({"d", path(i)}, record_of(i + 1)));
  for (std::uint64_t i = 0; i < kMany; i += 4)
    ASSERT_TRUE(one.append_removed({"d", path(i)}));
  const auto expected = [](std::uint64_t i) -> std::optional<Record> {
    if (i % 4 == 0) return std::nullopt;
    return record_of(i % 2 == 0 ? i + 1 : i);
  };
  // Asked among what is pending, what was flushed since and what came after that.
  for (std::uint64_t i = 0; i < kMany; i += 11)
    ASSERT_EQ(one.find({"d", path(i)}), expected(i)) << i;
  EXPECT_EQ(one.find({"", "b"}), record_of(2));
  ASSERT_TRUE(one.append({"d", "late"}, record_of(7)));
  EXPECT_EQ(one.find({"d", "late"}), record_of(7));
  flush(one);
  for (std::uint64_t i = 0; i < 3 * kMany; ++i)
    ASSERT_TRUE(one.append({"e", path(i % kMany)}, record_of(i)));
  flush(one);
  EXPECT_EQ(one.find({"e", path(3)}), record_of(2 * kMany + 3));
  const Index again = open();
  for (const Index* seen : std::initializer_list<const Index*>{&one, &again}) {
    for (std::uint64_t i = 0; i < kMany; ++i) {
      ASSERT_EQ(seen->find({"d", path(i)}), expected(i)) << i;
      ASSERT_EQ(seen->find({"e", path(i)}), record_of(2 * kMany + i)) << i;
    }
    EXPECT_EQ(seen->find({"other", "x"}), record_of(5));
    EXPECT_EQ(seen->find({"d", "late"}), record_of(7));
  }
  EXPECT_TRUE(one.damage().empty());
}

TEST_F(IndexLogTest, InvalidPathsAndRecordsAreRefused) {
  Index index = open();
  Record bad = record_of(1);
  bad.held.ctime.ns = 1'000'000'000;
  EXPECT_EQ(index.append({"", "a"}, bad).error().code, Errc::invalid_argument);
  EXPECT_EQ(index.append({"a/../b", "x"}, record_of(1)).error().code, Errc::invalid_argument);
}

TEST_F(IndexLogTest, ATornTailIsCutOffSilently) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "a"}, record_of(50)));
  flush(index);
  const auto whole = fs::file_size(file(".log"));
  ASSERT_TRUE(index.append({"", "b"}, record_of(51)));
  flush(index);
  const std::string bytes = read_file(file(".log"));
  for (std::size_t cut = whole; cut < bytes.size(); ++cut) {
    write_file(file(".log"), bytes.substr(0, cut) + std::string(cut % 3 == 0 ? 100 : 0, '\0'));
    const Index torn = open();
    ASSERT_EQ(torn.find({"", "a"}), record_of(50));
    ASSERT_EQ(torn.find({"", "b"}), record_of(2));
    ASSERT_TRUE(torn.damage().empty());
    ASSERT_EQ(fs::file_size(file(".log")), whole);
  }
}

// Each byte of the log in turn is changed. Every path is then the newest record, or an older true one, or
// unknown.
TEST_F(IndexLogTest, AChangedByteNeverMakesAWrongRecord) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "a"}, record_of(50)));
  ASSERT_TRUE(index.append_removed({"", "c"}));
  ASSERT_TRUE(index.append({"", "b"}, record_of(51)));
  ASSERT_TRUE(index.append({"", "b"}, record_of(52)));
  flush(index);
  const fs::path log = file(".log");
  const std::string bytes = read_file(log);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    write_file(log, changed);
    const Index seen = open();
    Index::Cursor cursor = seen.directory("");
    Record record;
    const std::vector<std::pair<std::string, std::vector<Record>>> allowed = {
        {"a", {record_of(1), record_of(50)}},
        {"b", {record_of(2), record_of(51), record_of(52)}},
        {"c", {record_of(4)}}};
    for (const auto& [name, records] : allowed) {
      if (cursor.find(name, record) != Found::yes) continue;
      ASSERT_NE(std::find(records.begin(), records.end(), record), records.end()) << at;
    }
  }
}

TEST_F(IndexLogTest, ADamagedPayloadInTheMiddleMakesItsPathUnreadable) {
  Index index = open();
  ASSERT_TRUE(index.append({"", "a"}, record_of(50)));
  flush(index);
  const auto end_of_first = fs::file_size(file(".log"));
  ASSERT_TRUE(index.append({"", "b"}, record_of(51)));
  flush(index);
  std::string bytes = read_file(file(".log"));
  bytes[end_of_first - 3] = static_cast<char>(bytes[end_of_first - 3] ^ 1);
  write_file(file(".log"), bytes);
  const Index seen = open();
  Index::Cursor cursor = seen.directory("");
  Record record;
  EXPECT_EQ(cursor.find("a", record), Found::unreadable);
  EXPECT_EQ(cursor.find("b", record), Found::yes);
  EXPECT_EQ(record, record_of(51));
  EXPECT_EQ(seen.damage().size(), 1u);
}

}  // namespace
}  // namespace ssync::index::test
