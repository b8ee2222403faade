// Random trees, as edits from nothing: what a user, or somebody who disturbs a mirror, does to a tree.
#pragma once

#include <iosfwd>
#include <vector>

#include <rapidcheck.h>

#include "ssync/support/fake_tree.h"

namespace ssync::pipeline_test {

/// One edit. `path` and `other` choose from some forty paths; an edit that makes no sense does nothing.
struct Edit {
  enum class Kind : std::uint8_t {
    put,
    write,
    disguise,
    link,
    hard_link,
    make_directory,
    erase,
    move,
    swap,
    chmod,
    touch
  };
  Kind kind = Kind::put;
  unsigned path = 0;
  unsigned other = 0;
  unsigned value = 0;  ///< content, target, mode or time
  bool tick = false;   ///< the clock moves afterwards; else the next stat is racy
};
std::ostream& operator<<(std::ostream& out, const Edit& edit);

/// disguise (content changes, size and mtime do not) is only seen by those who remember the ctime.
enum class Disguise : bool { no, yes };

/// Without disguise, files of one size and mtime have one content, in all trees.
void edit(support::FakeTree& tree, const std::vector<Edit>& edits, Disguise disguise);

}  // namespace ssync::pipeline_test

template <>
struct rc::Arbitrary<ssync::pipeline_test::Edit> {
  static Gen<ssync::pipeline_test::Edit> arbitrary();
};
