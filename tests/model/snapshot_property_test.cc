// A Snapshot against a std::map of the same rows.
#include "ssync/model/snapshot.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ssync {
namespace {

// Where a record's own field of seconds ends, about.
constexpr std::int64_t kSecondsEdge = std::int64_t{1} << 33;

using Path = std::pair<std::string, std::string>;
struct RowOrder {
  bool operator()(const Path& a, const Path& b) const {
    return compare_rows({a.first, a.second}, {b.first, b.second}) < 0;
  }
};
struct Entry {
  Values values;
  std::string target;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};
using Rows = std::map<Path, Entry, RowOrder>;

rc::Gen<std::string> few_letters() {
  return rc::gen::container<std::string>(rc::gen::element('a', 'b', '-', '.', '\x80'));
}

rc::Gen<Path> any_path() {
  const auto location =
      rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty(few_letters())),
                   [](const std::vector<std::string>& parts) {
                     std::string text;
                     for (const auto& part : parts)
                       text += (text.empty() ? "" : "/") + part;
                     return text;
                   });
  // Short and shallow, so that paths meet.
  return rc::gen::resize(4, rc::gen::pair(location, few_letters()));
}

rc::Gen<Entry> any_entry() {
  return rc::gen::exec([] {
    Entry entry;
    entry.values.kind =
        *rc::gen::element(Kind::file, Kind::directory, Kind::symlink, Kind::unreadable, Kind::special);
    entry.values.mode = *rc::gen::inRange<std::uint16_t>(0, 010000);
    entry.values.size = *rc::gen::arbitrary<std::uint64_t>() << *rc::gen::element(0, 30, 60);
    entry.values.mtime = {*rc::gen::inRange<std::int64_t>(-100, 100) *
                              *rc::gen::element<std::int64_t>(1, kSecondsEdge, kSecondsEdge << 17),
                          *rc::gen::inRange<std::uint32_t>(0, 1'000'000'000)};
    entry.values.owner = {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::inRange<std::uint32_t>(0, 3)};
    if (entry.values.kind == Kind::symlink) entry.target = *rc::gen::arbitrary<std::string>();
    entry.device = *rc::gen::inRange<std::uint64_t>(0, 3);
    entry.inode = *rc::gen::arbitrary<std::uint64_t>();
    return entry;
  });
}

Snapshot snapshot_of(const Rows& rows) {
  Snapshot tree;
  for (const auto& [path, entry] : rows) {
    RC_ASSERT(tree.begin_directory(path.first).has_value());
    RC_ASSERT(tree.add(path.second, entry.values, entry.target, entry.device, entry.inode, 0).has_value());
  }
  return tree;
}

void check_view(const Snapshot::View& view, const Path& path, const Entry& entry) {
  RC_ASSERT(view.location == path.first);
  RC_ASSERT(view.name == path.second);
  RC_ASSERT(view.values == entry.values);
  RC_ASSERT(view.target == entry.target);
  RC_ASSERT(view.device == entry.device);
  RC_ASSERT(view.inode == entry.inode);
}

rc::Gen<Rows> any_rows() {
  return rc::gen::container<Rows>(any_path(), any_entry());
}

RC_GTEST_PROP(SnapshotPropertyTest, HoldsEveryRowInOrder, ()) {
  const Rows rows = *any_rows();
  const Snapshot tree = snapshot_of(rows);
  RC_ASSERT(tree.size() == rows.size());
  EntryIndex at = 0;
  for (const auto& [path, entry] : rows)
    check_view(tree.view(at++), path, entry);
}

RC_GTEST_PROP(SnapshotPropertyTest, FindsWhatAMapFinds, ()) {
  const Rows rows = *any_rows();
  const Snapshot tree = snapshot_of(rows);
  auto wanted = *rc::gen::container<std::vector<Path>>(any_path());
  for (const auto& row : rows)
    wanted.push_back(row.first);
  for (const Path& path : wanted) {
    const auto expected = rows.find(path);
    const std::optional<EntryIndex> found = tree.find({path.first, path.second});
    RC_ASSERT(found.has_value() == (expected != rows.end()));
    if (found) check_view(tree.view(*found), path, expected->second);
  }
}

RC_GTEST_PROP(SnapshotPropertyTest, DirectoriesShareOutTheRows, ()) {
  const Snapshot tree = snapshot_of(*any_rows());
  EntryIndex next = 0;
  for (DirectoryIndex directory = 0; directory < tree.directories(); ++directory) {
    const Snapshot::Range rows = tree.rows(directory);
    RC_ASSERT(rows.first == next);
    RC_ASSERT(tree.find_directory(tree.location(directory)) == directory);
    for (; next < rows.last; ++next)
      RC_ASSERT(tree.directory_of(next) == directory);
  }
  RC_ASSERT(next == tree.size());
}

}  // namespace
}  // namespace ssync
