// One scan, several mirrors.
#include "feed.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssync/support/fake_tree.h"

#include "listing.h"

namespace ssync::source {
namespace {

using support::dir;
using support::FakeTree;
using support::file;
using support::link;

class FeedTest : public testing::Test {
 protected:
  FeedTest() {
    path_ = (std::filesystem::temp_directory_path() / "feed-XXXXXX").string();
    SSYNC_ASSERT(::mkdtemp(path_.data()) != nullptr);
    index_.emplace(index::Index::open_or_none(path_, index::Role::source, "/source"));
  }
  ~FeedTest() override {
    index_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] index::Header header() const {
    index::Header header;
    header.role = index::Role::source;
    header.root_path = "/source";
    return header;
  }

  FakeTree tree_{{dir("d", file("a", "1").with_mtime({1'600'000'000, 7}), link("l", "a")),
                  file("b", "22").with_mtime({1'600'000'001, 9})}};
  std::optional<index::Index> index_;

 private:
  std::string path_;
};

/// Everything that is in the queue until the list is complete; the number of messages.
std::size_t drain(BoundedQueue<Listing::Item>& queue) {
  for (std::size_t messages = 1;; ++messages) {
    const std::optional<Listing::Item> item = queue.pop();
    if (!item || !*item) return 0;
    if (std::visit([](const auto& message) { return message.last; }, **item)) return messages;
  }
}

Attributes in_seconds() {
  Attributes attributes;
  attributes.mtime_granularity_ns = 1'000'000'000;
  return attributes;
}

/// The digest of a listing that has the scan for itself.
std::string alone(FakeTree& tree, index::Index& index, const index::Header& header,
                  const Listing::Options& options) {
  BoundedQueue<Listing::Item> queue(1);
  Feed feed(tree, index, header, {});
  Listing listing(tree, feed, options, queue);
  feed.add(listing);
  feed.start();
  EXPECT_GT(drain(queue), 0U);
  return listing.tree_digest();
}

TEST_F(FeedTest, TwoMirrorsShareOneScan) {
  const Listing::Options fine{.attributes = {}, .directory_sums = false};
  const Listing::Options coarse{.attributes = in_seconds(), .directory_sums = true};
  const std::string fine_alone = alone(tree_, *index_, header(), fine);
  const std::string coarse_alone = alone(tree_, *index_, header(), coarse);
  ASSERT_NE(fine_alone, coarse_alone);

  tree_.clear_operations();
  BoundedQueue<Listing::Item> to_fine(1), to_coarse(1);
  Feed feed(tree_, *index_, header(), {});
  Listing first(tree_, feed, fine, to_fine);
  Listing second(tree_, feed, coarse, to_coarse);
  feed.add(first);
  feed.add(second);
  feed.start();
  std::jthread other([&] { EXPECT_GT(drain(to_coarse), 0U); });
  EXPECT_GT(drain(to_fine), 0U);
  other.join();

  EXPECT_EQ(first.tree_digest(), fine_alone);
  EXPECT_EQ(second.tree_digest(), coarse_alone);
  // Each entry was looked at once for both.
  std::multiset<std::string> looked_at;
  for (const support::FakeOperation& operation : tree_.operations()) {
    if (operation.op == support::FakeOp::stat) looked_at.insert(operation.path);
  }
  for (const std::string path : {"b", "d", "d/a", "d/l"})
    EXPECT_LE(looked_at.count(path), 1U) << path;
  // Numbers are the same for both; the rest is each one's own.
  const auto row = first.row(4);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->name, second.row(4)->name);
  Problem problem;
  problem.row = 4;
  first.leave_out(problem);
  EXPECT_NE(first.tree_digest(), fine_alone);
  EXPECT_EQ(second.tree_digest(), coarse_alone);
}

TEST_F(FeedTest, OneThatWantsNoMoreLeavesTheOtherTheWholeList) {
  const std::string whole = alone(tree_, *index_, header(), {});
  BoundedQueue<Listing::Item> gone(1), queue(1);
  Feed feed(tree_, *index_, header(), {});
  Listing first(tree_, feed, {}, gone);
  Listing second(tree_, feed, {}, queue);
  feed.add(first);
  feed.add(second);
  gone.close();
  feed.start();
  EXPECT_GT(drain(queue), 0U);
  EXPECT_EQ(second.tree_digest(), whole);
}

TEST_F(FeedTest, AFailedScanIsToldToAll) {
  tree_.fail_nth(support::FakeOp::list, 1, EIO);
  BoundedQueue<Listing::Item> one(1), other(1);
  Feed feed(tree_, *index_, header(), {});
  Listing first(tree_, feed, {}, one);
  Listing second(tree_, feed, {}, other);
  feed.add(first);
  feed.add(second);
  feed.start();
  EXPECT_EQ(drain(one), 0U);
  EXPECT_EQ(drain(other), 0U);
}

}  // namespace
}  // namespace ssync::source
