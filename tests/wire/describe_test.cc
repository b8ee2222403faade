#include "ssync/wire/describe.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

bool is_shown_well(const std::string& text, std::size_t max_bytes) {
  return text.size() <= max_bytes &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; });
}

TEST(DescribeTest, SummaryOfAFilelist) {
  FileList list;
  list.number = 3;
  list.batch.rows = test::sample_rows();
  list.batch.last = true;
  const Request request{.seq = 1, .session = {}, .body = std::move(list)};
  EXPECT_EQ(summary_of(request), "number 3, 6 rows, last");
  EXPECT_EQ(details_of(request).at(4), "#4 file 0644 77 B dir/name\\#377\\#012");
  EXPECT_EQ(details_of(request).at(5), "#5 symlink 0000 0 B dir/to -> ../elsewhere");
  EXPECT_EQ(details_of(request).at(0), "#0 directory 0755 0 B .");
}

TEST(DescribeTest, SummaryOfAGuardedPlanHasItsNumbers) {
  const Reply plan{
      .seq = 1,
      .body = Plan{.number = 3, .totals = test::sample_totals(), .guard = Guard::max_delete, .allowed = 2}};
  EXPECT_EQ(summary_of(plan),
            "number 3, 12 requests (337.6 KiB), 0 created, 0 copies, 0 renames, 0 metadata, 3 deletes, "
            "guard max_delete 3 of 999999 (4.0 KiB of 16.0 TiB), 1 of 12 places, allowed 2");
}

TEST(DescribeTest, MirrorsAndPlacesHaveWords) {
  Hello hello = test::sample_hello();
  hello.mirror = "a";
  EXPECT_TRUE(summary_of(Request{.seq = 1, .session = {}, .body = hello}).ends_with(", mirror a"));
  const Reply wait{.seq = 1, .body = Wait{Wait::Reason::other_session, 0, 7, "another", 3}};
  EXPECT_EQ(summary_of(wait), "other_session place 3 of 7: another");
  const Reply mirrors{.seq = 1, .body = Mirrors{.rows = {{"", ""}, {"a", "home of a"}}, .more = true}};
  EXPECT_EQ(summary_of(mirrors), "2 rows, more");
  EXPECT_EQ(details_of(mirrors), (std::vector<std::string>{"''", "'a' home of a"}));
}

TEST(DescribeTest, SummaryOfData) {
  EXPECT_EQ(summary_of(test::sample_data()[2].message), "number 0, offset 0, 3 segments, 5 B");
  EXPECT_EQ(details_of(test::sample_data()[2].message).at(1), "#1 8+1 last, 9 B");
  EXPECT_EQ(summary_of(test::sample_data()[1].message), "number 1, limit 16777216");
}

TEST(DescribeTest, NoMessageShowsItsSecrets) {
  const std::string session = test::hex(test::bytes16(0xa0));
  for (const auto& sample : test::sample_replies()) {
    std::string all = summary_of(sample.message);
    for (const std::string& detail : details_of(sample.message))
      all += detail;
    EXPECT_EQ(all.find(session), std::string::npos) << sample.name;
    EXPECT_EQ(all.find("fedcba9876543210"), std::string::npos) << sample.name;
    EXPECT_EQ(all.find("18364758544493064720"), std::string::npos) << sample.name;
  }
}

TEST(DescribeTest, EverythingIsOneBoundedLine) {
  const std::string long_name(200, '\n');
  const std::string long_location(60000, '\x01');
  Changes changes{.number = 1, .rows = {}};
  for (int i = 0; i < 100; ++i) {
    changes.rows.push_back({.op = Op::copy,
                            .location = long_location,
                            .name = long_name,
                            .from_location = long_location,
                            .from_name = long_name});
  }
  const auto details = details_of(Reply{.seq = 1, .body = std::move(changes)});
  EXPECT_EQ(details.size(), kTapDetailsMax);
  for (const std::string& detail : details)
    EXPECT_TRUE(is_shown_well(detail, kTapDetailBytesMax));
  const Request bye{.seq = 1, .session = {}, .body = Bye{.code = 1, .text = long_location}};
  EXPECT_TRUE(is_shown_well(summary_of(bye), kTextBytesMax));
}

TEST(DescribeTest, EverySampleHasWords) {
  for (const auto& sample : test::sample_requests())
    EXPECT_FALSE(summary_of(sample.message).empty()) << sample.name;
  for (const auto& sample : test::sample_replies()) {
    EXPECT_EQ(summary_of(sample.message).empty(), sample.name == "ok") << sample.name;
    EXPECT_EQ(details_of(sample.message).size(),
              rows_in(sample.message.body) + (sample.name.starts_with("welcome") ? 2 : 0))
        << sample.name;
  }
}

}  // namespace
}  // namespace ssync::wire
