#include "ssync/fs/mirror_record.h"

#include "ssync/fs/staging.h"

#include "tree_suite.h"

namespace ssync::fs {
namespace {

class MirrorRecordTest : public TreeSuite {
 protected:
  const std::string path_ = std::string(kStateDirectory) + "/mirror";
};
INSTANTIATE_TEST_SUITE_P(Trees, MirrorRecordTest, testing::Values(On::disk, On::memory, On::fake),
                         param_name);

TEST_P(MirrorRecordTest, IsReadAsItWasWritten) {
  EXPECT_EQ(read_mirror_record(tree()).value(), std::optional<MirrorRecord>());
  const MirrorRecord first{"host:/home/a b\n\\#101\xff", false, "00112233445566778899aabbccddeeff"};
  ASSERT_TRUE(write_mirror_record(tree(), first));
  EXPECT_EQ(read_mirror_record(tree()).value(), std::optional(first));
  const MirrorRecord second{"", true, "1"};
  ASSERT_TRUE(write_mirror_record(tree(), second));
  EXPECT_EQ(read_mirror_record(tree()).value(), std::optional(second));
  EXPECT_EQ(names(kStateDirectory), std::vector<std::string>{"mirror"});
}

TEST_P(MirrorRecordTest, WhatAKilledWriterLeftIsInNobodysWay) {
  build({support::dir(std::string(kStateDirectory), support::file("mirror.new", "half"))});
  const MirrorRecord record{"source", true, "1"};
  ASSERT_TRUE(write_mirror_record(tree(), record));
  EXPECT_EQ(read_mirror_record(tree()).value(), std::optional(record));
}

TEST_P(MirrorRecordTest, AnyOtherByteMakesItDamaged) {
  ASSERT_TRUE(write_mirror_record(tree(), {"source", true, "1"}));
  const std::string good = read(path_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const auto directory = open(kStateDirectory);
    ASSERT_TRUE(directory->remove("mirror"));
    ASSERT_TRUE(directory->create_file("mirror", 0600).value()->write_at(0, std::as_bytes(std::span(bad))));
    const auto found = read_mirror_record(tree());
    ASSERT_FALSE(found) << i;
    EXPECT_EQ(found.error().code, Errc::corrupt);
  }
}

TEST_P(MirrorRecordTest, ATornOneIsDamaged) {
  ASSERT_TRUE(write_mirror_record(tree(), {"source", true, "1"}));
  const std::string good = read(path_);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto directory = open(kStateDirectory);
    ASSERT_TRUE(directory->remove("mirror"));
    ASSERT_TRUE(directory->create_file("mirror", 0600)
                    .value()
                    ->write_at(0, std::as_bytes(std::span(good)).first(size)));
    EXPECT_FALSE(read_mirror_record(tree())) << size;
  }
}

}  // namespace
}  // namespace ssync::fs
