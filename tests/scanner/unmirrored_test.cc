// What entries have that is not mirrored: counted, and asked for only where something may have changed.
#include <algorithm>

#include <gmock/gmock.h>

#include "support.h"

namespace ssync::scanner::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UnmirroredTest : public ScannerTest {
 protected:
  UnmirroredTest() {
    tree_.set_unmirrored("d/acl", fs::kHasAttributes | fs::kHasAcl);
    tree_.set_unmirrored("d", fs::kHasAttributes | fs::kHasAcl);
    tree_.set_unmirrored("ping", fs::kHasAttributes | fs::kHasCapability);
    tree_.set_unmirrored("l", fs::kHasAttributes);
    tree_.tick();
  }
  /// The paths that a scan asked about.
  std::vector<std::string> asked(Counts& counts) {
    tree_.clear_operations();
    counts = scan(tree_, index_).counts;
    std::vector<std::string> paths;
    for (const support::FakeOperation& operation : tree_.operations()) {
      if (operation.op == FakeOp::unmirrored) paths.push_back(operation.path);
    }
    std::ranges::sort(paths);
    return paths;
  }

  FakeTree tree_{std::vector<support::Node>{dir("d", file("acl", "a"), file("plain", "b")), file("ping", "c"),
                                            link("l", "ping")}};
  index::Index index_ = open_index();
};

TEST_F(UnmirroredTest, IsCountedInEveryScanAndAskedForInTheFirst) {
  Counts first;
  EXPECT_THAT(asked(first), ElementsAre("", "d", "d/acl", "d/plain", "l", "ping"));
  EXPECT_EQ(first.unmirrored, (UnmirroredCounts{4, 2, 1}));
  Counts second;
  EXPECT_THAT(asked(second), IsEmpty());
  EXPECT_EQ(second.unmirrored, first.unmirrored);
}

TEST_F(UnmirroredTest, WhatComesAndGoesIsSeen) {
  Counts counts;
  static_cast<void>(asked(counts));
  tree_.tick();
  tree_.set_unmirrored("ping", 0);
  tree_.set_unmirrored("d/plain", fs::kHasAttributes);
  EXPECT_THAT(asked(counts), ElementsAre("d/plain", "ping"));
  EXPECT_EQ(counts.unmirrored, (UnmirroredCounts{4, 2, 0}));
}

TEST_F(UnmirroredTest, WhatCannotBeAskedCountsAsNothing) {
  tree_.fail_at(FakeOp::unmirrored, "ping", EACCES);
  const Scanned scanned = scan(tree_, index_);
  EXPECT_EQ(scanned.counts.unmirrored, (UnmirroredCounts{3, 2, 0}));
  EXPECT_THAT(scanned.problems, IsEmpty());
}

// They give rights that the source does not give; what else a mirror's entry has is nobody's business.
TEST_F(UnmirroredTest, AMirrorIsAskedForAclsWhereItsStatIsNew) {
  index::Index index = open_index(index::Role::mirror);
  for (const std::vector<std::string>& expected :
       {std::vector<std::string>{"d", "d/acl", "d/plain", "ping"}, std::vector<std::string>{}}) {
    tree_.clear_operations();
    EXPECT_EQ(scan_mirror(tree_, index).counts.unmirrored, UnmirroredCounts{});
    std::vector<std::string> paths;
    for (const support::FakeOperation& operation : tree_.operations()) {
      if (operation.op == FakeOp::unmirrored) paths.push_back(operation.path);
    }
    std::ranges::sort(paths);
    EXPECT_EQ(paths, expected);
    EXPECT_EQ(index.find({"d", "acl"})->unmirrored, fs::kHasAcl);
    EXPECT_EQ(index.find({"", "ping"})->unmirrored, 0);
  }
}

}  // namespace
}  // namespace ssync::scanner::test
