#include "json_report.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "ssync/base/text.h"

namespace ssync::programs {
namespace {

std::string without_time(std::string line) {
  const std::size_t at = line.find(",\"time\":\"");
  line.erase(at, std::string_view(R"(,"time":"2026-01-31T12:34:56.123456Z")").size());
  return line;
}

TEST(EventLineTest, IsTheLineOfEventLine) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::string_view bytes : {"a/b.txt", "", "quo\"te", "back\\slash", "tab\there", "\\#012",
                                       "\xff\xfe", "g\xc3\xbcte", "\xe2\x80\xa8", "</script>"}) {
    const std::string path = escape(bytes);
    EventLine line("received");
    line.add("bytes", kMost);
    line.add("path", path);
    EXPECT_EQ(without_time(std::move(line).finish()),
              without_time(event_line("received", {{"bytes", kMost}, {"path", path}})));
  }
}

}  // namespace
}  // namespace ssync::programs
