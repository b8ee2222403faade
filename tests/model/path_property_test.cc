// Orders and joins against what they are defined by: lists of components.
#include "ssync/model/path.h"

#include <algorithm>
#include <compare>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ssync {
namespace {

using Components = std::vector<std::string>;

// Few letters, so that components share prefixes, and the bytes next to '/' and at the ends of the range.
rc::Gen<Components> components() {
  const auto byte = rc::gen::element('a', 'b', '.', '-', '0', '\x01', '\x7f', '\x80', '\xff');
  return rc::gen::container<Components>(rc::gen::nonEmpty(rc::gen::container<std::string>(byte)));
}

std::string joined(const Components& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : "/") + part;
  return text;
}

// Raw bytes are unsigned; std::string compares them so.
std::strong_ordering in_order(const Components& a, const Components& b) {
  if (a == b) return std::strong_ordering::equal;
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()) ? std::strong_ordering::less
                                                                              : std::strong_ordering::greater;
}

RC_GTEST_PROP(PathPropertyTest, LocationsCompareAsTheirComponents, ()) {
  const auto shared = *components();
  auto a = shared;
  auto b = shared;
  for (const auto& part : *components())
    a.push_back(part);
  for (const auto& part : *components())
    b.push_back(part);
  RC_ASSERT(compare_locations(joined(a), joined(b)) == in_order(a, b));
}

RC_GTEST_PROP(PathPropertyTest, RowsCompareAsLocationThenName, ()) {
  const auto a = *components();
  const auto b = *rc::gen::oneOf(rc::gen::just(a), components());
  const auto names = *components();
  const std::string name_a = names.empty() ? "" : names.front();
  const std::string name_b = names.empty() ? "" : names.back();
  const auto expected = a == b ? name_a <=> name_b : in_order(a, b);
  RC_ASSERT(compare_rows({joined(a), name_a}, {joined(b), name_b}) == expected);
}

RC_GTEST_PROP(PathPropertyTest, ArbitraryBytesHaveATotalOrder,
              (const std::string& a, const std::string& b, const std::string& c)) {
  RC_ASSERT(compare_locations(a, b) == (0 <=> compare_locations(b, a)));
  RC_ASSERT((compare_locations(a, b) == 0) == (a == b));
  if (compare_locations(a, b) < 0 && compare_locations(b, c) < 0) RC_ASSERT((compare_locations(a, c) < 0));
}

RC_GTEST_PROP(PathPropertyTest, BelowMeansThatTheComponentsBegin, ()) {
  const auto a = *components();
  auto b = *rc::gen::oneOf(rc::gen::just(a), components());
  for (const auto& part : *components())
    b.push_back(part);
  const bool below = a.size() <= b.size() && std::equal(a.begin(), a.end(), b.begin());
  RC_ASSERT(is_at_or_below(joined(b), joined(a)) == below);
}

RC_GTEST_PROP(PathPropertyTest, SplitIsTheInverseOfJoin, ()) {
  const std::string location = joined(*components());
  const std::string name = joined(*rc::gen::map(components(), [](Components parts) {
    parts.resize(1, "n");
    return parts;
  }));
  RC_ASSERT(split(join({location, name})) == (PathView{location, name}));
}

}  // namespace
}  // namespace ssync
