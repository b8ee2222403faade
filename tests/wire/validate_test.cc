// validate() on structs, as senders may use it. What each rule is: the invalid vectors (vectors_test.cc)
// break every one of them once.
#include <gtest/gtest.h>

#include "ssync/wire/messages.h"

#include "samples.h"

namespace ssync::wire {
namespace {

FileList list_of(std::vector<Row> rows, std::uint64_t number = 0) {
  FileList list;
  list.number = number;
  list.batch.rows = std::move(rows);
  return list;
}

std::string error_of(const Result<void>& result) {
  return result ? "" : result.error().message;
}

TEST(ValidateTest, EverySampleIsValid) {
  const auto valid = [](const auto& message) { return error_of(validate(message)); };
  for (const auto& sample : test::sample_requests())
    EXPECT_EQ(std::visit(valid, sample.message.body), "") << sample.name;
  for (const auto& sample : test::sample_replies())
    EXPECT_EQ(std::visit(valid, sample.message.body), "") << sample.name;
}

TEST(ValidateTest, RowsOfOneDirectoryAreComparedByName) {
  std::vector<Row> rows = test::sample_rows();
  rows[4].name = "e";
  EXPECT_EQ(error_of(validate(list_of(rows))), "row 4 is not after the row before");
}

TEST(ValidateTest, LocationsAreComparedByComponents) {
  std::vector<Row> rows = {test::sample_rows()[0], test::sample_rows()[3], test::sample_rows()[4]};
  rows[1].id = 1, rows[2].id = 2;
  rows[1].location = "a/b", rows[2].location = "a-b";
  EXPECT_EQ(error_of(validate(list_of(rows))), "");
  rows[1].location = "a-b", rows[2].location = "a/b";
  EXPECT_EQ(error_of(validate(list_of(rows))), "row 2 is not after the row before");
}

TEST(ValidateTest, PathsOfExactlyTheLimitAreValid) {
  std::string location = "d";
  while (location.size() + 256 <= kPathBytesMax - 256)
    location += "/" + std::string(255, 'x');
  const std::string name(
      kPathBytesMax - location.size() - 1 > 255 ? 255 : kPathBytesMax - location.size() - 1, 'n');
  location += "/" + std::string(kPathBytesMax - location.size() - name.size() - 2, 'y');
  std::vector<Row> rows = {test::sample_rows()[3]};
  rows[0].location = location, rows[0].name = name;
  EXPECT_EQ(location.size() + 1 + name.size(), kPathBytesMax);
  EXPECT_EQ(error_of(validate(list_of(rows, 1))), "");
  const std::string longer = name + "n";
  rows[0].name = longer.size() > 255 ? std::string_view(longer).substr(0, 255) : std::string_view(longer);
  location += longer.size() > 255 ? "y" : "";
  rows[0].location = location;
  EXPECT_NE(error_of(validate(list_of(rows, 1))), "");
}

TEST(ValidateTest, TooManyRowsAreALimit) {
  Digests digests;
  digests.rows.resize(kRowsMax + 1);
  EXPECT_EQ(validate(digests).error().code, Errc::limit);
  digests.rows.resize(kRowsMax);
  EXPECT_TRUE(validate(digests));
}

TEST(ValidateTest, NamesOfMirrorsAreOneVisibleLineWithoutSlash) {
  for (const char* good : {"", ".", "home of a", "caf\u00e9", "\u00a0", "\u2027", "\U0001f600"})
    EXPECT_EQ(broken_mirror_name_rule(good), nullptr) << good;
  for (const char* bad : {"/", "a\tb", "\x7f", "\u0080", "\u009f", "\u2028", "\u2029", "\xff", "\xc2"})
    EXPECT_NE(broken_mirror_name_rule(bad), nullptr) << bad;
  EXPECT_EQ(broken_mirror_name_rule(std::string(kMirrorNameBytesMax, 'm')), nullptr);
  EXPECT_NE(broken_mirror_name_rule(std::string(kMirrorNameBytesMax + 1, 'm')), nullptr);
  EXPECT_NE(broken_mirror_name_rule(std::string(1, '\0')), nullptr);
}

TEST(ValidateTest, TooManyMirrorsInOneMessageAreALimit) {
  Mirrors mirrors;
  for (std::size_t i = 0; i <= kMirrorRowsMax; ++i)
    mirrors.rows.push_back({"m" + std::to_string(100000 + i), ""});
  EXPECT_EQ(validate(mirrors).error().code, Errc::limit);
  mirrors.rows.pop_back();
  EXPECT_TRUE(validate(mirrors));
}

TEST(ValidateTest, OnlySetMetadataMayConcernTheRoot) {
  Changes changes{.number = 1, .rows = {{.op = Op::set_metadata, .kind = Kind::directory}}};
  EXPECT_TRUE(validate(changes));
  changes.rows[0].op = Op::remove_directory;
  EXPECT_FALSE(validate(changes));
}

TEST(ValidateTest, PublishStagedMayHaveAFrom) {
  Changes changes{.number = 1,
                  .rows = {{.op = Op::publish_staged, .kind = Kind::file, .location = "", .name = "a"}}};
  EXPECT_TRUE(validate(changes));
  changes.rows[0].from_name = "b";
  EXPECT_TRUE(validate(changes));
}

}  // namespace
}  // namespace ssync::wire
