#include "words.h"

#include <gtest/gtest.h>

namespace ssync::programs {
namespace {

using std::chrono::seconds;
using Words = std::vector<std::string>;

TEST(WordsTest, AListLosesItsBlanksAndEmptyParts) {
  EXPECT_EQ(split_list("a, b ,,c"), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_list(" one word "), (Words{"one word"}));
  EXPECT_EQ(split_list(""), Words{});
  EXPECT_EQ(split_list(" , "), Words{});
}

TEST(WordsTest, ADurationHasAUnitOrIsSeconds) {
  EXPECT_EQ(parse_duration("90").value(), seconds(90));
  EXPECT_EQ(parse_duration("90s").value(), seconds(90));
  EXPECT_EQ(parse_duration("15m").value(), seconds(900));
  EXPECT_EQ(parse_duration("2h").value(), seconds(7200));
  EXPECT_EQ(parse_duration("7d").value(), seconds(604800));
  for (const char* wrong : {"", "0", "-1", "1.5h", "m", "15 m", "9999999999d", "1w", "99999999999999999999"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(WordsTest, ADurationIsWrittenInTheLargestUnitThatFits) {
  for (const char* text : {"1s", "90s", "15m", "2h", "7d", "25h"})
    EXPECT_EQ(text_of(parse_duration(text).value()), text);
}

TEST(WordsTest, ATimeIsUtcAndComesBack) {
  EXPECT_EQ(text_of(parse_time("2027-01-31T12:34:56Z").value()), "2027-01-31T12:34:56Z");
  EXPECT_EQ(text_of(parse_time("2028-02-29").value()), "2028-02-29T00:00:00Z");
  for (const char* wrong : {"", "tomorrow", "2027-01-31 12:00", "2027-01-31T12:00:00", "2027-13-01",
                            "2027-01-31x", "11-1-1", "1969-12-31", "9999-12-31"})
    EXPECT_FALSE(parse_time(wrong)) << wrong;
}

TEST(WordsTest, ASizeIsWrittenAsRsyncDoes) {
  EXPECT_EQ(parse_size("0").value(), 0U);
  EXPECT_EQ(parse_size("1000b").value(), 1000U);
  EXPECT_EQ(parse_size("10K").value(), 10240U);
  EXPECT_EQ(parse_size("10KiB").value(), 10240U);
  EXPECT_EQ(parse_size("10kb").value(), 10000U);
  EXPECT_EQ(parse_size("1.5G").value(), 1610612736U);
  EXPECT_EQ(parse_size("999999999999999999").value(), 999999999999999999U);
  for (const char* wrong :
       {"", "K", "-1", "1KX", "1e3", "1..5G", "10 K", "nan", "9999P", "99999999999999999999"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(WordsTest, ASizeIsShownInTheLargestUnitThatFits) {
  for (const char* text : {"0", "1000", "10K", "1536M", "2T"})
    EXPECT_EQ(text_of_size(parse_size(text).value()), text);
}

TEST(WordsTest, AClientsNameIsAFilesToo) {
  for (const char* good : {"laptop", "a.b-c_1", "X"})
    EXPECT_TRUE(check_client_name(good)) << good;
  for (const std::string& wrong : {std::string(), std::string("."), std::string("../x"), std::string("a/b"),
                                   std::string("a b"), std::string("caf\u00e9"), std::string(65, 'a')})
    EXPECT_FALSE(check_client_name(wrong)) << wrong;
}

}  // namespace
}  // namespace ssync::programs
