#include "example.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace ssync::wire {
namespace {

TEST(ExampleTest, TheSpecificationShowsWhatIsSent) {
  std::ifstream in(SSYNC_SPEC_DIR "/10-example.md");
  const std::string document{std::istreambuf_iterator<char>(in), {}};
  const std::string example = test::worked_example();
  EXPECT_NE(document.find(example), std::string::npos) << "the frames of 10-example.md should be:\n"
                                                       << example;
}

}  // namespace
}  // namespace ssync::wire
