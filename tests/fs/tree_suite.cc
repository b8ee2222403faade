#include "tree_suite.h"

#include <algorithm>

namespace ssync::fs {

std::vector<std::string> TreeSuite::names(std::string_view location) {
  NameList list;
  EXPECT_TRUE(open(location)->list(list));
  std::vector<std::string> sorted;
  for (std::size_t i = 0; i < list.size(); ++i)
    sorted.emplace_back(list[i]);
  std::ranges::sort(sorted);
  return sorted;
}

std::string param_name(const testing::TestParamInfo<On>& info) {
  switch (info.param) {
    case On::disk:
      return "disk";
    case On::memory:
      return "memory";
    case On::fake:
      return "fake";
  }
  return "unknown";
}

}  // namespace ssync::fs
