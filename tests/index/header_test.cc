#include <cstddef>

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

TEST(HeaderTest, NeedsAllOfItsFields) {
  Out out;
  ASSERT_TRUE(encode_header(out, sample()));
  for (std::size_t bytes = 0; bytes < out.view().size(); ++bytes) {
    In in(out.view().first(bytes));
    Header header;
    EXPECT_FALSE(decode_header(in, header)) << bytes;
  }
}

}  // namespace
}  // namespace ssync::index
