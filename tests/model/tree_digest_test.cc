#include "ssync/model/tree_digest.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <xxhash.h>

#include "ssync/base/text.h"

namespace ssync {
namespace {

const Values kFile{Kind::file, 0644, 5, {1'700'000'000, 123'456'789}, {1000, 100}};

Checksum checksum_of(unsigned char byte) {
  Checksum checksum;
  checksum.fill(std::byte{byte});
  return checksum;
}

Hash128 row(std::string_view name) {
  return row_hash(name, kFile, "", {});
}

TEST(TreeDigestTest, EveryFieldOfARowCounts) {
  std::vector<Hash128> hashes = {row_hash("n", kFile, "", {})};
  const auto with = [&](auto change) {
    Values values = kFile;
    change(values);
    hashes.push_back(row_hash("n", values, "", {}));
  };
  with([](Values& v) { v.kind = Kind::directory; });
  with([](Values& v) { v.mode = 0645; });
  with([](Values& v) { v.size = 6; });
  with([](Values& v) { v.mtime.s = -1'700'000'000; });
  with([](Values& v) { v.mtime.ns = 123'456'788; });
  with([](Values& v) { v.owner.uid = 1001; });
  with([](Values& v) { v.owner.gid = 101; });
  hashes.push_back(row_hash("m", kFile, "", {}));
  hashes.push_back(row_hash("", kFile, "n", {}));
  hashes.push_back(row_hash("n", kFile, "t", {}));
  hashes.push_back(row_hash("n", kFile, "", checksum_of(0)));
  hashes.push_back(row_hash("n", kFile, "", checksum_of(1)));
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_FALSE(hashes[i] == hashes[j]) << i << " and " << j;
  }
}

// Of hexadecimal digits in groups.
std::string bytes(std::string hex) {
  std::erase(hex, ' ');
  const std::vector<std::byte> values = from_hex(hex).value();
  std::string text;
  for (const std::byte value : values)
    text += static_cast<char>(value);
  return text;
}

std::string xxh3(const std::string& of) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(of.data(), of.size()));
  return {std::begin(canonical.digest), std::end(canonical.digest)};
}

std::string big_endian(Hash128 hash) {
  const XXH128_hash_t xxh{.low64 = hash.low, .high64 = hash.high};
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, xxh);
  return {std::begin(canonical.digest), std::end(canonical.digest)};
}

// proto-spec/03 §5: rows and directories as the header describes them, spelled out.
TEST(TreeDigestTest, EncodesRowsAsSpecified) {
  const Values link{Kind::symlink, 0, 0, {-2, 0x1234567}, {0x01020304, 0x05060708}};
  EXPECT_EQ(big_endian(row_hash("ab", link, "t", {})),
            xxh3(bytes("03 0000 0000000000000000 fffffffffffffffe 01234567 01020304 05060708 "
                       "00000002 6162 00000001 74 00")));
  const Values file{Kind::file, 0644, 0x0102030405060708, {1, 0}, {0, 1}};
  EXPECT_EQ(big_endian(row_hash("a", file, "", checksum_of(0xee))),
            xxh3(bytes("01 01a4 0102030405060708 0000000000000001 00000000 00000000 00000001 "
                       "00000001 61 00000000 01 eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee")));
}

TEST(TreeDigestTest, EncodesDirectoriesAsSpecified) {
  TreeDigest digest;
  digest.add("a/b", {1, ~std::uint64_t{0}});
  digest.add("", {0, 5});
  digest.add("a/b", {0, 2});  // carries
  EXPECT_EQ(big_endian(digest.value()),
            xxh3(bytes("00000000 0000000000000001 0000000000000000 0000000000000005 "
                       "00000003 612f62 0000000000000002 0000000000000002 0000000000000001")));
}

TEST(TreeDigestTest, HashesRowsOfAnyLength) {
  const std::string name(255, 'n');
  EXPECT_FALSE(row_hash(name, kFile, std::string(205, 't'), {}) ==
               row_hash(name, kFile, std::string(206, 't'), {}));
  EXPECT_FALSE(row_hash(name, kFile, std::string(65535, 't'), {}) ==
               row_hash(name, kFile, std::string(65536, 't'), {}));
}

TEST(TreeDigestTest, AnEmptyTreeHasTheHashOfNothing) {
  // XXH3-128 of no bytes, seed 0.
  EXPECT_EQ(TreeDigest().hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(TreeDigestTest, WhatWasTakenOutLeavesNoTrace) {
  TreeDigest plain;
  plain.add("a", row("x"));
  TreeDigest changed = plain;
  changed.add("a", row("y"));
  changed.add("b", row("x"));
  EXPECT_NE(changed.hex(), plain.hex());
  changed.remove("b", row("x"));
  changed.remove("a", row("y"));
  EXPECT_EQ(changed.hex(), plain.hex());
  changed.remove("a", row("x"));
  EXPECT_EQ(changed.value(), TreeDigest().value());
}

TEST(TreeDigestTest, DirectoriesAndRowCountsCount) {
  TreeDigest a;
  TreeDigest b;
  a.add("a", row("x"));
  b.add("b", row("x"));
  EXPECT_FALSE(a.value() == b.value());
  TreeDigest twice;
  twice.add("a", {});
  TreeDigest once;
  once.add("a", {});
  EXPECT_EQ(once.value(), twice.value());
  twice.add("a", {});
  EXPECT_FALSE(once.value() == twice.value());
}

TEST(TreeDigestTest, RemovesASubtreeAndNothingBesideIt) {
  TreeDigest expected;
  TreeDigest digest;
  for (const char* location : {"", "a-b", "ab", "b/a"}) {
    expected.add(location, row("x"));
    digest.add(location, row("x"));
  }
  for (const char* location : {"a/b/c", "a", "a/b"})
    digest.add(location, row("x"));
  digest.remove_subtree("a");
  EXPECT_EQ(digest.hex(), expected.hex());
  digest.remove_subtree("no/such");
  EXPECT_EQ(digest.hex(), expected.hex());
  digest.remove_subtree("");
  EXPECT_EQ(digest.hex(), TreeDigest().hex());
}

TEST(TreeDigestTest, CountsOnInTheSameDirectoryAfterItWasRemoved) {
  TreeDigest digest;
  digest.add("a", row("x"));
  digest.remove("a", row("x"));
  digest.add("a", row("y"));
  digest.remove_subtree("a");
  digest.add("a", row("z"));
  TreeDigest expected;
  expected.add("a", row("z"));
  EXPECT_EQ(digest.hex(), expected.hex());
}

TEST(TreeDigestTest, CopiesAndMovesAreIndependent) {
  TreeDigest first;
  first.add("a", row("x"));
  TreeDigest copy = first;
  copy.add("a", row("y"));
  TreeDigest alone;
  alone.add("a", row("x"));
  EXPECT_EQ(first.hex(), alone.hex());
  TreeDigest moved = std::move(first);
  moved.add("a", row("y"));
  EXPECT_EQ(moved.hex(), copy.hex());
  first = TreeDigest();
  first.add("a", row("x"));
  EXPECT_EQ(first.hex(), alone.hex());
  copy = std::move(first);
  copy.add("a", row("y"));
  EXPECT_EQ(copy.hex(), moved.hex());
}

TEST(TreeDigestTest, TakingOutOfADirectoryThatIsNotThereEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  TreeDigest digest;
  EXPECT_DEATH(digest.remove("a", row("x")), "assertion failed");
}

}  // namespace
}  // namespace ssync
