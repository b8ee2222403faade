#include "ssync/wire/tap.h"

#include <gtest/gtest.h>

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

TEST(TapTest, EverySampleComesBackAsItWas) {
  for (const TapRecord& record : test::sample_records()) {
    const auto back = decode_tap(encode(record).bytes());
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(*back, record);
  }
}

TEST(TapTest, WhatIsTooLongIsCutAndNotRefused) {
  TapRecord record = test::sample_records()[0];
  record.summary.assign(5000, 's');
  record.type.assign(100, 't');
  record.details.assign(100, std::string(1000, 'd'));
  const Buffer bytes = encode(record);
  EXPECT_LE(bytes.size(), kTapRecordBytesMax);
  const auto back = decode_tap(bytes.bytes());
  ASSERT_TRUE(back) << back.error().text();
  record.summary.resize(kTextBytesMax);
  record.type.resize(kTapTypeBytesMax);
  record.details.assign(kTapDetailsMax, std::string(kTapDetailBytesMax, 'd'));
  EXPECT_EQ(*back, record);
}

TEST(TapTest, ARecordOfAnOlderServerBelongsToNoMirror) {
  TapRecord record = test::sample_records()[2];
  auto json = test::readable(encode(record).bytes());
  json.erase("m");
  json.erase("j");
  const auto back = decode_tap(test::msgpack_of(json).bytes());
  ASSERT_TRUE(back) << back.error().text();
  record.mirror.reset();
  record.session = 0;
  EXPECT_EQ(*back, record);
}

TEST(TapTest, UnknownFieldsAreIgnored) {
  auto json = test::readable(encode(test::sample_records()[0]).bytes());
  json["later"] = {1, 2};
  const auto back = decode_tap(test::msgpack_of(json).bytes());
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, test::sample_records()[0]);
}

}  // namespace
}  // namespace ssync::wire
