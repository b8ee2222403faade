#include "ssync/base/text.h"

#include <limits>

#include <gtest/gtest.h>

namespace ssync {
namespace {

struct EscapeRow {
  std::string_view bytes;
  std::string_view shown;
};

class EscapeTest : public testing::TestWithParam<EscapeRow> {};

TEST_P(EscapeTest, ShowsPrintableTextAndEscapesTheRest) {
  EXPECT_EQ(escape(GetParam().bytes), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(Text, EscapeTest,
                         testing::Values(EscapeRow{"", ""},                        //
                                         EscapeRow{"a b/c~!.txt", "a b/c~!.txt"},  //
                                         EscapeRow{"K\xC3\xA4se \xE2\x82\xAC \xF0\x9F\x98\x80",
                                                   "K\xC3\xA4se \xE2\x82\xAC \xF0\x9F\x98\x80"},
                                         EscapeRow{"a\nb\x1B[2J\x7F", "a\\#012b\\#033[2J\\#177"},
                                         EscapeRow{"\xC2\x9B", "\\#302\\#233"},  // C1 control
                                         EscapeRow{"\xE2\x80\xAEtxt", "\\#342\\#200\\#256txt"}
                                         // right-to-left
                                         ));

INSTANTIATE_TEST_SUITE_P(InvalidUtf8, EscapeTest,
                         testing::Values(EscapeRow{"\xFFx", "\\#377x"},                    //
                                         EscapeRow{"\xC3", "\\#303"},                      // cut short
                                         EscapeRow{"\xE2\x82z", "\\#342\\#202z"},          // cut short
                                         EscapeRow{"\xC0\xAF", "\\#300\\#257"},            // overlong
                                         EscapeRow{"\xE0\x80\xAF", "\\#340\\#200\\#257"},  // overlong
                                         EscapeRow{"\xED\xA0\x80", "\\#355\\#240\\#200"},  // surrogate
                                         EscapeRow{"\xF4\x90\x80\x80", "\\#364\\#220\\#200\\#200"}));

INSTANTIATE_TEST_SUITE_P(Backslash, EscapeTest,
                         testing::Values(EscapeRow{"a\\b", "a\\b"},  //
                                         EscapeRow{"\\#012", "\\#134#012"}, EscapeRow{"\\\\#", "\\\\#134#"},
                                         EscapeRow{"#", "#"}));

TEST(TextTest, HumanBytesRoundsToTheNearestTenth) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(512 * 1024), "512.0 KiB");
  EXPECT_EQ(human_bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(3'650'722'201), "3.4 GiB");
  EXPECT_EQ(human_bytes(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(TextTest, WithCommasGroupsThousands) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(TextTest, HexIsLowerCaseAndReadsEitherCase) {
  const std::vector<std::byte> bytes = {std::byte{0x00}, std::byte{0x7F}, std::byte{0xE9}};

  EXPECT_EQ(to_hex(bytes), "007fe9");
  EXPECT_EQ(from_hex("007Fe9"), bytes);
  EXPECT_EQ(from_hex(""), std::vector<std::byte>{});
}

TEST(TextTest, FromHexRefusesOddLengthsAndOtherCharacters) {
  for (const std::string_view text : {"0", "0g", "0x", " 0", "00 "}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

TEST(EscapeTextTest, KeepsWhatIsEscapedAndStopsWhatActsOnATerminal) {
  EXPECT_EQ(escape_text("a\\#377b: \x1b[31mred\n"), "a\\#377b: \\#033[31mred\\#012");
}

TEST(NearestNameTest, FindsWhatWasProbablyMeant) {
  const std::vector<std::string> names = {"address", "control-port", "data-port", "max-delete", "log-file"};
  struct Case {
    std::string_view word;
    std::optional<std::string> nearest;
  };
  const std::vector<Case> cases = {
      {"max_delete", "max-delete"}, {"MAX-DELETE", "max-delete"}, {"maxdelete", "max-delete"},
      {"adress", "address"},        {"logfile", "log-file"},      {"port", "control-port"},
      {"control", "control-port"},  {"data-ports", "data-port"},  {"x", std::nullopt},
      {"", std::nullopt},           {"uid", std::nullopt},        {std::string_view("-"), std::nullopt},
  };
  for (const Case& each : cases)
    EXPECT_EQ(nearest_name(each.word, names), each.nearest) << each.word;
  EXPECT_EQ(nearest_name(std::string(100, 'a'), names), std::nullopt);
}

}  // namespace
}  // namespace ssync
