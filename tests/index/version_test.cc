// An index of another version of the format. The files in version1/ were written by a program that wrote
// version 1: a base with five entries, and a log with a later record of one of them.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec.h"
#include "support.h"

namespace ssync::index::test {
namespace {

using Found = Index::Cursor::Found;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Contents kTree = {
    {"", {{"a", record_of(1, Kind::directory)}, {"f", record_of(6)}, {"l", record_of(3, Kind::symlink)}}},
    {"a", {{"g", record_of(11)}, {"h", record_of(2)}}}};

class IndexVersionTest : public IndexTest {
 protected:
  IndexVersionTest() {
    std::filesystem::create_directory(state_dir());
    for (const auto& entry : std::filesystem::directory_iterator(SSYNC_VERSION1))
      std::filesystem::copy(entry.path(), state_dir());
  }
};

TEST_F(IndexVersionTest, Version1IsUnknownAsAWhole) {
  const Index index = open();
  EXPECT_TRUE(index.exists());
  for (const auto& [location, rows] : kTree) {
    Index::Cursor cursor = index.directory(location);
    EXPECT_FALSE(cursor.is_whole());
    for (const auto& [name, unused] : rows) {
      Record record;
      EXPECT_EQ(cursor.find(name, record), Found::unreadable) << location << '/' << name;
      EXPECT_FALSE(index.find({location, name}));
    }
  }
  EXPECT_FALSE(index.find_inode(record_of(6).held.device, record_of(6).held.inode));
  EXPECT_EQ(index.header().source_id, "");
  EXPECT_EQ(index.header().synced_count, 0U);
  EXPECT_THAT(index.damage(), ElementsAre("the index was written by another version of this program",
                                          "the log of the index does not start as one of this version"));
}

TEST_F(IndexVersionTest, Version1IsWrittenAnew) {
  {
    Index index = open();
    write(index, kTree);
    EXPECT_EQ(read(index, kTree), kTree);
  }
  const Index again = open();
  EXPECT_EQ(read(again, kTree), kTree);
  EXPECT_THAT(again.damage(), IsEmpty());
}

TEST_F(IndexVersionTest, WhatIsAppendedToVersion1Holds) {
  {
    Index index = open();
    ASSERT_TRUE(index.append({"a", "h"}, record_of(7)));
    ASSERT_TRUE(index.flush_log(Index::Durable::no));
  }
  const Index again = open();
  EXPECT_EQ(again.find({"a", "h"}), record_of(7));
  EXPECT_FALSE(again.find({"a", "g"}));
}

// What a later version says in a further byte of flags may change what the rest means.
TEST(RecordTest, WithFurtherFlagsIsNotUnderstood) {
  Out out;
  out.ensure(kFieldBytesMax);
  FieldState written;
  encode_fields(out, record_of(6), written);
  std::string bytes(reinterpret_cast<const char*>(out.view().data()), out.view().size());
  const auto is_read = [&] {
    In in({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    Record record;
    FieldState read;
    return decode_fields(in, record, read);
  };
  EXPECT_TRUE(is_read());
  bytes[1] = static_cast<char>(bytes[1] | 0x80);
  EXPECT_FALSE(is_read());
}

}  // namespace
}  // namespace ssync::index::test
