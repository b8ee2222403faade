#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/wire/codec.h"

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

using test::same;
using test::sample_rows;

Row file(RowId id, std::string_view location, std::string_view name) {
  return {
      .location = location, .name = name, .id = id, .values = {.kind = Kind::file, .mode = 0644, .size = 1}};
}

FileList decoded(FileListEncoder::Encoded encoded) {
  auto request = decode_request(filelist_frames(1, test::bytes16(1), std::move(encoded)));
  EXPECT_TRUE(request) << request.error().text();
  return std::move(std::get<FileList>(request->body));
}

TEST(FileListTest, EncoderGivesTheSameFramesAsTheMessage) {
  FileListEncoder encoder;
  Request request{.seq = 1, .session = test::bytes16(1), .body = FileList{}};
  auto& list = std::get<FileList>(request.body);
  list.batch.rows = sample_rows();
  list.batch.last = true;
  for (const Row& row : list.batch.rows)
    ASSERT_TRUE(encoder.add(row));
  const Frames incremental = filelist_frames(1, test::bytes16(1), encoder.finish(true));
  const Frames whole = encode(request);
  EXPECT_EQ(test::hex(incremental.head.bytes()), test::hex(whole.head.bytes()));
  EXPECT_EQ(test::hex(incremental.body.bytes()), test::hex(whole.body.bytes()));
}

TEST(FileListTest, BatchesAreNumberedAndEndWhereTheyAreFull) {
  FileListEncoder encoder(2);
  const std::vector<Row> rows = sample_rows();
  EXPECT_TRUE(encoder.add(rows[0]));
  EXPECT_TRUE(encoder.add(rows[1]));
  EXPECT_FALSE(encoder.add(rows[2]));
  const FileList first = decoded(encoder.finish(false));
  EXPECT_TRUE(encoder.add(rows[2]));
  EXPECT_EQ(encoder.rows(), 1U);
  const FileList second = decoded(encoder.finish(true));
  EXPECT_EQ(first.number, 0U);
  EXPECT_EQ(first.batch.rows.size(), 2U);
  EXPECT_FALSE(first.batch.last);
  EXPECT_EQ(second.number, 1U);
  EXPECT_TRUE(same(second.batch.rows.at(0), rows[2]));
  EXPECT_TRUE(second.batch.last);
}

TEST(FileListTest, ABatchEndsAfterTheRowThatCrossesTheTarget) {
  FileListEncoder encoder(kRowsMax, 100);
  const std::string location(90, 'd');
  EXPECT_TRUE(encoder.add(test::sample_rows()[0]));
  EXPECT_TRUE(encoder.add(file(1, location, "a")));
  EXPECT_FALSE(encoder.add(file(2, location, "b")));
}

TEST(FileListTest, TheLongestRowFitsIntoABatchJustBelowItsTarget) {
  std::string longest = "d";
  while (longest.size() + 256 < kPathBytesMax)
    longest += "/" + std::string(254, 'x');
  const std::string target(kPathBytesMax, 't');
  std::vector<Row> rows = {test::sample_rows()[0]};
  const std::string stem(200, 'n');
  std::vector<std::string> names;
  for (int i = 100; i < 1170; ++i)
    names.push_back(std::to_string(i + 10000) + stem);
  for (const std::string& name : names)
    rows.push_back(file(rows.size(), "a", name));
  rows.push_back({.location = longest,
                  .name = std::string_view(stem).substr(0, 255),
                  .id = rows.size(),
                  .values = {.kind = Kind::symlink},
                  .target = target});
  FileListEncoder encoder;
  std::size_t added = 0;
  while (added < rows.size() && encoder.add(rows[added]))
    ++added;
  ASSERT_GE(added, 1000U);
  const FileList list = decoded(encoder.finish(false));
  EXPECT_EQ(list.batch.rows.size(), added);
}

TEST(FileListTest, LocationIsSentOncePerDirectory) {
  FileListEncoder encoder;
  ASSERT_TRUE(encoder.add(sample_rows()[0]));
  ASSERT_TRUE(encoder.add(file(1, "directory", "a")));
  ASSERT_TRUE(encoder.add(file(2, "directory", "b")));
  const auto rows = test::readable(encoder.finish(true).body.bytes());
  EXPECT_EQ(rows[1][0], "hex:6469726563746f7279");
  EXPECT_EQ(rows[2][0], nullptr);
}

TEST(FileListTest, TrailingDefaultsAreLeftOut) {
  FileListEncoder encoder;
  ASSERT_TRUE(encoder.add({.location = "", .name = "e", .id = 1, .values = {.kind = Kind::file}}));
  EXPECT_EQ(test::readable(encoder.finish(true).body.bytes())[0].size(), 5U);
}

TEST(FileListTest, RowsLiveAsLongAsTheBatch) {
  FileListEncoder encoder;
  for (const Row& row : sample_rows())
    ASSERT_TRUE(encoder.add(row));
  FileList list = decoded(encoder.finish(true));
  const FileList moved = std::move(list);
  ASSERT_EQ(moved.batch.rows.size(), sample_rows().size());
  for (std::size_t i = 0; i < moved.batch.rows.size(); ++i)
    EXPECT_TRUE(same(moved.batch.rows[i], sample_rows()[i])) << i;
}

TEST(FileListTest, LaterColumnsAfterOursAreAccepted) {
  Request request{.seq = 1, .session = test::bytes16(1), .body = FileList{}};
  std::get<FileList>(request.body).batch.rows = sample_rows();
  Frames frames = encode(request);
  auto head = test::readable(frames.head.bytes());
  head["cols"].push_back("xattrs");
  frames.head = test::msgpack_of(head);
  EXPECT_TRUE(decode_request(std::move(frames)));
}

}  // namespace
}  // namespace ssync::wire
