#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "codec.h"

namespace ssync::index {
namespace {

Header sample() {
  Header header;
  header.role = Role::mirror;
  header.root_path = "/data";
  header.source_id = "machine:/source";
  header.attributes = {.mtime_granularity_ns = 1'000, .mtime_least_s = -5, .mtime_greatest_s = 4'354'819'199};
  header.attributes_known = true;
  header.attributes_uid = 1000;
  header.synced_count = 1;
  return header;
}

TEST(HeaderTest, ComesBackAsItWas) {
  Out out;
  ASSERT_TRUE(encode_header(out, sample()));
  In in(out.view());
  Header header;
  ASSERT_TRUE(decode_header(in, header));
  EXPECT_EQ(header, sample());
  EXPECT_EQ(in.left(), 0U);
}

TEST(HeaderTest, WithoutARangeOfTimesSaysNothingOfWhatTheMirrorHolds) {
  Out out;
  ASSERT_TRUE(encode_header(out, sample()));
  // As it was written before there was a range: flags without bit 5, and nothing between them and the volume.
  constexpr std::size_t kAfterRange = 8 + 8 + 4 + 8;
  constexpr std::size_t kWayToTheRoot = 8 + 4;  // neither was that written
  std::vector<std::uint8_t> bytes(out.view().begin(), out.view().end() - kWayToTheRoot);
  const auto range = bytes.end() - kAfterRange - 16;
  *(range - 1) = static_cast<std::uint8_t>(*(range - 1) & ~0x20U);
  bytes.erase(range, range + 16);
  In in(bytes);
  Header header;
  ASSERT_TRUE(decode_header(in, header));
  EXPECT_EQ(in.left(), 0U);
  EXPECT_FALSE(header.attributes_known);
  EXPECT_EQ(header.source_id, "machine:/source");
  EXPECT_EQ(header.synced_count, 1U);
}

}  // namespace
}  // namespace ssync::index
