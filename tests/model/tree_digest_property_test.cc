#include "ssync/model/tree_digest.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ssync {
namespace {

using Rows = std::vector<std::pair<std::string, Hash128>>;

rc::Gen<Rows> any_rows() {
  const auto location = rc::gen::element<std::string>("", "a", "a/b", "a-b", "ab", "b", "b/c/d");
  const auto hash =
      rc::gen::map(rc::gen::arbitrary<std::pair<std::uint64_t, std::uint64_t>>(), [](auto words) {
        // High values too, so that sums carry.
        return Hash128{~words.first, ~words.second};
      });
  return rc::gen::container<Rows>(rc::gen::pair(location, hash));
}

TreeDigest digest_of(const Rows& rows) {
  TreeDigest digest;
  for (const auto& [location, hash] : rows)
    digest.add(location, hash);
  return digest;
}

Rows shuffled(Rows rows) {
  for (std::size_t i = rows.size(); i > 1; --i)
    std::swap(rows[i - 1], rows[*rc::gen::inRange<std::size_t>(0, i)]);
  return rows;
}

RC_GTEST_PROP(TreeDigestPropertyTest, TheOrderOfRowsDoesNotCount, ()) {
  const Rows rows = *any_rows();
  RC_ASSERT(digest_of(rows).value() == digest_of(shuffled(rows)).value());
}

RC_GTEST_PROP(TreeDigestPropertyTest, RemoveUndoesAdd, ()) {
  const Rows kept = *any_rows();
  const Rows passing = *any_rows();
  Rows all = kept;
  all.insert(all.end(), passing.begin(), passing.end());
  TreeDigest digest = digest_of(shuffled(all));
  for (const auto& [location, hash] : shuffled(passing))
    digest.remove(location, hash);
  RC_ASSERT(digest.value() == digest_of(kept).value());
}

RC_GTEST_PROP(TreeDigestPropertyTest, TwoAddedToOneAnotherAreOneOfAllRows, ()) {
  const Rows rows = *any_rows();
  const std::size_t cut = *rc::gen::inRange<std::size_t>(0, rows.size() + 1);
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(cut);
  TreeDigest digest = digest_of(Rows(rows.begin(), middle));
  digest.add(digest_of(Rows(middle, rows.end())));
  RC_ASSERT(digest.value() == digest_of(rows).value());
}

RC_GTEST_PROP(TreeDigestPropertyTest, RemovingASubtreeIsRemovingItsRows, ()) {
  const Rows rows = *any_rows();
  const std::string top = *rc::gen::element<std::string>("", "a", "a/b", "b", "b/c", "x");
  TreeDigest digest = digest_of(rows);
  digest.remove_subtree(top);
  Rows rest = rows;
  std::erase_if(rest, [&](const auto& row) { return is_at_or_below(row.first, top); });
  RC_ASSERT(digest.value() == digest_of(rest).value());
}

}  // namespace
}  // namespace ssync
