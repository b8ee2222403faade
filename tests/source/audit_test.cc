#include "audit.h"

#include <gtest/gtest.h>

#include "ssync/support/fake_tree.h"

namespace ssync::source {
namespace {

using support::FakeOp;
using support::FakeTree;
using support::file;

constexpr FileTime at(std::int64_t s) {
  return {1'700'000'000 + s, 0};
}

ScannedEntry entry_of(FileTime ctime) {
  ScannedEntry entry;
  entry.seen.values.size = 5;
  entry.seen.ctime = ctime;
  entry.checksum.emplace();
  return entry;
}

bool is_due(FileTime ctime, std::optional<FileTime> before, FileTime now) {
  FakeTree tree;
  return Audit(tree, before, now).is_due(entry_of(ctime));
}

TEST(AuditTest, AYoungFileIsDueOnceForEachAgeThatItPasses) {
  int times = 0;
  for (int s = 0; s < 400; ++s)
    times += is_due(at(0), at(s), at(s + 1)) ? 1 : 0;
  EXPECT_EQ(times, 7);
  EXPECT_TRUE(is_due(at(0), at(0), at(1)));
  EXPECT_FALSE(is_due(at(0), at(0), {at(0).s, 999'999'999}));
}

TEST(AuditTest, AMinuteBetweenTwoSyncsIsOneReading) {
  int times = 0;
  for (int s = 7; s < 1000; s += 60)
    times += is_due(at(0), at(s), at(s + 60)) ? 1 : 0;
  EXPECT_EQ(times, 1);
}

TEST(AuditTest, WhatWasOldWhenItWasListedIsNotDue) {
  EXPECT_FALSE(is_due(at(0), at(400), at(4000)));
  EXPECT_FALSE(is_due(at(0), at(64), at(299)));
}

TEST(AuditTest, WhatWasWrittenAfterTheListingIsDueToo) {
  EXPECT_TRUE(is_due(at(10), at(5), at(60)));
}

TEST(AuditTest, WithoutAListingBeforeNothingIs) {
  EXPECT_FALSE(is_due(at(0), std::nullopt, at(30)));
}

TEST(AuditTest, WhatIsInDoubtOrUnknownOrEmptyIsNotDue) {
  FakeTree tree;
  const Audit audit(tree, at(0), at(30));
  ScannedEntry doubtful = entry_of(at(0));
  doubtful.doubt = true;
  ScannedEntry unknown = entry_of(at(0));
  unknown.checksum.reset();
  ScannedEntry empty = entry_of(at(0));
  empty.seen.values.size = 0;
  EXPECT_TRUE(audit.is_due(entry_of(at(0))));
  EXPECT_FALSE(audit.is_due(doubtful));
  EXPECT_FALSE(audit.is_due(unknown));
  EXPECT_FALSE(audit.is_due(empty));
}

class AuditReading : public testing::Test {
 protected:
  ScannedEntry entry(std::string_view name, std::string_view content) {
    ScannedEntry found;
    found.name = name;
    found.seen = tree_.stat(name).seen;
    content::ContentHash hash;
    hash.add(std::as_bytes(std::span(content)));
    found.checksum = hash.checksum();
    return found;
  }
  bool differs(const ScannedEntry& found) { return audit_.differs("", found, {}); }

  FakeTree tree_{
      std::vector<support::Node>{file("a", "text"), file("b", "text"), file("page", std::string(4096, 'p'))}};
  Audit audit_{tree_, at(0), at(30)};
};

TEST_F(AuditReading, TellsWhenTheContentIsNotWhatTheIndexSays) {
  EXPECT_FALSE(differs(entry("a", "text")));
  EXPECT_TRUE(differs(entry("b", "TEXT")));
}

TEST_F(AuditReading, WhatHasAnotherStatByNowIsNoBusinessOfIts) {
  const ScannedEntry before = entry("a", "TEXT");
  tree_.tick();
  tree_.write("a", "more text");
  EXPECT_FALSE(differs(before));
}

TEST_F(AuditReading, WhatCannotBeReadIsLeftToTheSync) {
  const ScannedEntry found = entry("a", "TEXT");
  tree_.fail_at(FakeOp::read, "a", EIO);
  EXPECT_FALSE(differs(found));
}

TEST_F(AuditReading, IsBounded) {
  audit_.set_budgets({1, 1}, {10, 5});
  EXPECT_TRUE(differs(entry("a", "TEXT")));
  EXPECT_TRUE(differs(entry("b", "TEXT"))) << "the last one may exceed the budget";
  EXPECT_FALSE(differs(entry("a", "TEXT")));
  EXPECT_TRUE(differs(entry("page", "TEXT"))) << "pages have a budget of their own";
  EXPECT_FALSE(differs(entry("page", "TEXT")));
  EXPECT_EQ(audit_.files_read(), 3U);
}

}  // namespace
}  // namespace ssync::source
