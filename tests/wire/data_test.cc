#include "ssync/wire/data.h"

#include <gtest/gtest.h>

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

DataHead two_segments() {
  return test::sample_data()[2].message;
}

TEST(DataTest, EverySampleComesBackAsItWas) {
  for (const auto& sample : test::sample_data()) {
    const auto back = decode_data(encode(sample.message).bytes(), sample.payload_bytes);
    ASSERT_TRUE(back) << sample.name << ": " << back.error().text();
    EXPECT_EQ(*back, sample.message) << sample.name;
  }
}

TEST(DataTest, HeadIsLaidOutAsTheSpecificationSays) {
  const DataHead head{.type = DataType::data,
                      .tag = 0x0102030405060708,
                      .number = 9,
                      .offset = 10,
                      .segments = {{.row = 11, .offset = 12, .length = 13, .restart = false}}};
  EXPECT_EQ(test::hex(encode(head).bytes()),
            "535301020001000001020304050607080000000000000009000000000000000a"
            "000000000000000b000000000000000c0000000d00000000");
}

TEST(DataTest, TableBytesAddUpToTheHead) {
  std::size_t sum = kDataHeaderBytes;
  for (const Segment& segment : two_segments().segments)
    sum += table_bytes(segment);
  EXPECT_EQ(encode(two_segments()).size(), sum);
}

TEST(DataTest, ChargeCountsBothFramesAndTheMessage) {
  EXPECT_EQ(charge(56, 1000), 56 + 1000 + 1024U);
}

TEST(DataTest, ALargeTableIsRefusedUnread) {
  const Buffer head = Buffer::allocate(kTableBytesMax + 1);
  EXPECT_EQ(decode_data(head.bytes(), 0).error().code, Errc::limit);
}

TEST(DataTest, AFullTableIsAccepted) {
  DataHead head = two_segments();
  head.segments.clear();
  for (RowId row = 1; row <= (kTableBytesMax - kDataHeaderBytes) / (kSegmentBytes + kEndingBytes); ++row) {
    head.segments.push_back({.row = row, .last = true});
  }
  const auto back = decode_data(encode(head).bytes(), 0);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, head);
}

TEST(DataTest, AHoleAtTheEndNeedsNoBytes) {
  DataHead head = two_segments();
  head.segments = {{.row = 1,
                    .offset = 0,
                    .length = 5,
                    .last = true,
                    .ending = {.size = 1ULL << 40, .mtime = {}, .checksum = {}}}};
  EXPECT_TRUE(validate(head, 5));
}

}  // namespace
}  // namespace ssync::wire
