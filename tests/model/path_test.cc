#include "ssync/model/path.h"

#include <compare>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace ssync {
namespace {

using namespace std::string_literals;

constexpr auto kBefore = std::strong_ordering::less;
constexpr auto kSame = std::strong_ordering::equal;
constexpr auto kAfter = std::strong_ordering::greater;

TEST(PathTest, PlacesDescendantsRightAfterTheirDirectory) {
  const auto sorted = {""s,      "a"s,   "a/\0"s, "a/b"s, "a/b/c"s, "a\0"s, "a-b"s,
                       "a-b/c"s, "a.b"s, "a0"s,   "b"s,   "\x80"s,  "\xff"s};
  for (auto a = sorted.begin(); a != sorted.end(); ++a) {
    for (auto b = sorted.begin(); b != sorted.end(); ++b) {
      EXPECT_EQ(compare_locations(*a, *b), (a - b) <=> 0)
          << printable(split(*a)) << " and " << printable(split(*b));
    }
  }
}

TEST(PathTest, ComparesLocationsBeyondTheFirstWord) {
  const std::string same = "a/long/location/";
  EXPECT_EQ(compare_locations(same + "b/c", same + "b.c"), kBefore);
  EXPECT_EQ(compare_locations(same + "b.c", same + "b/c"), kAfter);
  EXPECT_EQ(compare_locations(same + "b", same + "b"), kSame);
}

TEST(PathTest, SortsRowsByLocationThenName) {
  EXPECT_EQ(compare_rows({"", ""}, {"", "a"}), kBefore);
  EXPECT_EQ(compare_rows({"", "z"}, {"a", "b"}), kBefore);
  EXPECT_EQ(compare_rows({"a/b", "z"}, {"a-b", "a"}), kBefore);
  EXPECT_EQ(compare_rows({"a", "\x7f"}, {"a", "\x80"}), kBefore);
  EXPECT_EQ(compare_rows({"a", "b"}, {"a", "b"}), kSame);
}

std::string refusal_of_name(std::string_view name) {
  const Result<void> checked = check_name(name);
  return checked ? "" : checked.error().text();
}

std::string refusal_of_location(std::string_view location) {
  const Result<void> checked = check_location(location);
  return checked ? "" : checked.error().text();
}

TEST(PathTest, AcceptsAnyBytesButNulAndSlashInNames) {
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/' || byte == '.') continue;
    EXPECT_EQ(refusal_of_name(std::string(1, static_cast<char>(byte))), "") << byte;
  }
  EXPECT_EQ(refusal_of_name("..."), "");
  EXPECT_EQ(refusal_of_name(std::string(kNameBytesMax, 'x')), "");
}

TEST(PathTest, NamesTheRuleThatANameBreaks) {
  EXPECT_EQ(refusal_of_name(""), "name '' is empty");
  EXPECT_EQ(refusal_of_name("."), "name '.' is '.'");
  EXPECT_EQ(refusal_of_name(".."), "name '..' is '..'");
  EXPECT_EQ(refusal_of_name("a\0b"s), "name 'a\\#000b' has a NUL byte");
  EXPECT_EQ(refusal_of_name("a/b"), "name 'a/b' has a '/'");
  EXPECT_EQ(refusal_of_name(std::string(256, 'x')),
            "name '" + std::string(256, 'x') + "' is longer than 255 bytes");
}

TEST(PathTest, NamesTheRuleThatALocationBreaks) {
  EXPECT_EQ(refusal_of_location("/a"), "location '/a' begins with '/'");
  EXPECT_EQ(refusal_of_location("a/"), "location 'a/' ends with '/'");
  EXPECT_EQ(refusal_of_location("a//b"), "location 'a//b' has a component '' that is empty");
  EXPECT_EQ(refusal_of_location("a/../b"), "location 'a/../b' has a component '..' that is '..'");
  EXPECT_EQ(refusal_of_location("./b"), "location './b' has a component '.' that is '.'");
  EXPECT_EQ(refusal_of_location("a/\n\0"s),
            "location 'a/\\#012\\#000' has a component '\\#012\\#000' that has a NUL byte");
}

std::string repeated(std::string_view what, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i)
    text += what;
  return text;
}

TEST(PathTest, HoldsLocationsToTheirLimits) {
  const std::string component = std::string(255, 'x');
  EXPECT_EQ(refusal_of_location(""), "");
  EXPECT_EQ(refusal_of_location(repeated(component + "/", 255) + component), "");
  EXPECT_EQ(refusal_of_location(repeated(component + "/", 256) + "x"),
            "location '" + component + "/...' is longer than 65536 bytes");
  EXPECT_EQ(refusal_of_location(repeated("x/", kDepthMax - 1) + "x"), "");
  EXPECT_EQ(refusal_of_location(repeated("x/", kDepthMax) + "x"),
            "location '" + repeated("x/", 128) + "...' is deeper than 4096 components");
}

TEST(PathTest, HoldsWholePathsToTheirLimit) {
  const std::string location = repeated(std::string(255, 'x') + "/", 255) + std::string(240, 'x');
  const std::size_t room = kPathBytesMax - location.size() - 1;
  EXPECT_TRUE(check_path({location, std::string(room, 'n')}, AllowRoot::no));
  EXPECT_EQ(check_path({location, std::string(room + 1, 'n')}, AllowRoot::no).error().code,
            Errc::invalid_argument);
}

TEST(PathTest, AcceptsTheRootOnlyWhereAsked) {
  EXPECT_TRUE(check_path({"", ""}, AllowRoot::yes));
  EXPECT_FALSE(check_path({"", ""}, AllowRoot::no));
  EXPECT_FALSE(check_path({"a", ""}, AllowRoot::yes));
  EXPECT_TRUE(check_path({"", "a"}, AllowRoot::no));
  EXPECT_FALSE(check_path({"a/..", "b"}, AllowRoot::yes));
}

TEST(PathTest, JoinsAndSplits) {
  EXPECT_EQ(join({"", ""}), "");
  EXPECT_EQ(join({"", "a"}), "a");
  EXPECT_EQ(join({"a/b", "c"}), "a/b/c");
  EXPECT_EQ(split(""), (PathView{"", ""}));
  EXPECT_EQ(split("a"), (PathView{"", "a"}));
  EXPECT_EQ(split("a/b/c"), (PathView{"a/b", "c"}));
}

TEST(PathTest, TellsWhatIsBelow) {
  EXPECT_TRUE(is_at_or_below("a/b", ""));
  EXPECT_TRUE(is_at_or_below("", ""));
  EXPECT_TRUE(is_at_or_below("a/b", "a"));
  EXPECT_TRUE(is_at_or_below("a/b", "a/b"));
  EXPECT_FALSE(is_at_or_below("a-b", "a"));
  EXPECT_FALSE(is_at_or_below("ab", "a"));
  EXPECT_FALSE(is_at_or_below("a", "a/b"));
}

TEST(PathTest, PrintsEscapedAndTheRootAsADot) {
  EXPECT_EQ(printable({"", ""}), ".");
  EXPECT_EQ(printable({"a", "b\n"}), "a/b\\#012");
}

}  // namespace
}  // namespace ssync
