#include <algorithm>
#include <cerrno>

#include "tree_suite.h"

namespace ssync::fs {
namespace {

using support::dir;
using support::file;
using support::link;

constexpr std::uint64_t kMiB = 1024 * 1024;

class FileTest : public TreeSuite {
 protected:
  std::unique_ptr<File> create(std::string_view name) { return top()->create_file(name, 0644).value(); }
  std::unique_ptr<File> reopen(std::string_view name) { return top()->open_file(name).value(); }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges(File& of, std::uint64_t size) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    for (std::uint64_t at = 0;;) {
      const auto range = of.next_data(at, size).value();
      if (!range) return found;
      found.emplace_back(range->begin, range->end);
      at = range->end;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Trees, FileTest, testing::Values(On::disk, On::memory, On::fake), param_name);

TEST_P(FileTest, ReadsWhatWasWritten) {
  auto made = create("f");
  ASSERT_TRUE(made->write_at(3, bytes("lo")));
  ASSERT_TRUE(made->write_at(0, bytes("hel")));
  EXPECT_EQ(read("f"), "hello");
  std::string some(3, '?');
  EXPECT_EQ(made->read_at(3, std::as_writable_bytes(std::span(some))), 2U);
  EXPECT_EQ(some, "lo?");
  EXPECT_EQ(made->read_at(5, std::as_writable_bytes(std::span(some))), 0U);
  EXPECT_EQ(made->read_at(~std::uint64_t{0}, std::as_writable_bytes(std::span(some))), 0U);
}

TEST_P(FileTest, IsCreatedWithExactlyItsMode) {
  for (const std::uint16_t mode :
       std::vector<std::uint16_t>{0644, 0, 0666, 0777, 01777, 04755, 02755, 06711}) {
    const std::string name = "f" + std::to_string(mode);
    ASSERT_TRUE(top()->create_file(name, mode));
    EXPECT_EQ(top()->stat(name)->seen.values.mode, mode) << std::oct << mode;
  }
}

TEST_P(FileTest, IsNeverCreatedOverAnything) {
  build({file("f", "text"), dir("d"), link("l", "created"), link("to_f", "f")});
  for (const std::string_view name : {"f", "d", "l", "to_f"})
    EXPECT_EQ(code(top()->create_file(name, 0600)), Errc::already_exists);
  EXPECT_EQ(code(top()->stat("created")), Errc::not_found);
  EXPECT_EQ(read("f"), "text");
}

TEST_P(FileTest, OpensRegularFilesAndNothingElse) {
  build({file("f"), dir("d"), link("l", "f"), link("dangling", "x")});
  EXPECT_TRUE(top()->open_file("f"));
  EXPECT_EQ(code(top()->open_file("d")), Errc::changed);
  EXPECT_EQ(code(top()->open_file("l")), Errc::changed);
  EXPECT_EQ(code(top()->open_file("dangling")), Errc::changed);
  EXPECT_EQ(code(top()->open_file("absent")), Errc::not_found);
}

TEST_P(FileTest, TheSecondStatOfAnOpenedOneIsOfNow) {
  build({file("f", "text")});
  auto opened = reopen("f");
  EXPECT_EQ(opened->stat()->seen.values, top()->stat("f")->seen.values);
  ASSERT_TRUE(top()->set_mtime("f", {12, 34}));
  EXPECT_EQ(opened->stat()->seen.values.mtime, (FileTime{12, 34}));
}

TEST_P(FileTest, OpenedOnesAreNotWritten) {
  build({file("f", "text")});
  auto opened = reopen("f");
  EXPECT_EQ(code(opened->write_at(0, bytes("x"))), Errc::invalid_argument);
  EXPECT_EQ(code(opened->truncate(0)), Errc::invalid_argument);
  EXPECT_EQ(read("f"), "text");
}

TEST_P(FileTest, RefusesOffsetsThatNoFileHas) {
  auto made = create("f");
  EXPECT_FALSE(made->write_at(~std::uint64_t{0} - 1, bytes("x")));
  EXPECT_FALSE(made->write_at(std::uint64_t{1} << 63U, bytes("x")));
  EXPECT_FALSE(made->truncate(~std::uint64_t{0}));
  EXPECT_EQ(made->stat()->seen.values.size, 0U);
}

TEST_P(FileTest, GrowsByAHoleAndIsCut) {
  auto made = create("f");
  ASSERT_TRUE(made->write_at(0, bytes("text")));
  ASSERT_TRUE(made->truncate(6));
  EXPECT_EQ(read("f"), std::string("text\0\0", 6));
  ASSERT_TRUE(made->truncate(2));
  ASSERT_TRUE(made->truncate(4));
  EXPECT_EQ(read("f"), std::string("te\0\0", 4));
}

TEST_P(FileTest, TellsDataFromHoles) {
  auto made = create("f");
  ASSERT_TRUE(made->truncate(4 * kMiB));
  EXPECT_TRUE(ranges(*made, 4 * kMiB).empty());
  ASSERT_TRUE(made->write_at(kMiB, bytes(std::string(8192, 'x'))));
  ASSERT_TRUE(made->write_at(3 * kMiB, bytes(std::string(4096, 'y'))));
  const decltype(ranges(*made, 0)) expected{{kMiB, kMiB + 8192}, {3 * kMiB, 3 * kMiB + 4096}};
  EXPECT_EQ(ranges(*made, 4 * kMiB), expected);
  EXPECT_EQ(ranges(*reopen("f"), kMiB + 100), (decltype(expected){{kMiB, kMiB + 100}}));
  EXPECT_EQ(made->next_data(4 * kMiB, 4 * kMiB).value().has_value(), false);
  EXPECT_LT(made->stat()->blocks_512 * 512, 4 * kMiB);
}

TEST_P(FileTest, DataEndsWithTheFile) {
  build({file("f", "text")});
  EXPECT_EQ(ranges(*reopen("f"), 4), (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 4}}));
  EXPECT_EQ(reopen("f")->next_data(100, 200).value().has_value(), false);
}

TEST_P(FileTest, StatIsThatOfTheEntry) {
  auto made = create("f");
  ASSERT_TRUE(made->write_at(0, bytes("text")));
  ASSERT_TRUE(made->set_owner({::geteuid(), ::getegid()}));
  ASSERT_TRUE(made->set_mode(04700));
  ASSERT_TRUE(made->set_mtime({-5, 6}));
  const Stat stat = made->stat().value();
  EXPECT_EQ(stat.seen.values, (Values{Kind::file, 04700, 4, {-5, 6}, {::geteuid(), ::getegid()}}));
  EXPECT_EQ(stat.seen, top()->stat("f")->seen);
}

TEST_P(FileTest, WritingMovesMtimeAndCtime) {
  auto made = create("f");
  ASSERT_TRUE(made->set_mtime({1, 1}));
  const Seen before = made->stat()->seen;
  tick();
  ASSERT_TRUE(made->write_at(0, bytes("x")));
  EXPECT_GT(made->stat()->seen.values.mtime, before.values.mtime);
  EXPECT_GT(made->stat()->seen.ctime, before.ctime);
}

TEST_P(FileTest, LivesOnWithoutAName) {
  auto made = create("f");
  ASSERT_TRUE(top()->remove("f"));
  ASSERT_TRUE(made->write_at(0, bytes("text")));
  EXPECT_EQ(made->stat()->seen.links, 0U);
  EXPECT_EQ(made->stat()->seen.values.size, 4U);
}

TEST_P(FileTest, CopiesContent) {
  std::string content(3 * kMiB + 17, 'c');
  for (std::size_t i = 0; i < content.size(); i += 4097)
    content[i] = static_cast<char>(i);
  build({file("a", content)});
  auto copy = create("b");
  std::uint64_t told = 0;
  ASSERT_TRUE(copy->copy_content(*reopen("a"), [&](std::uint64_t done) {
    told = done;
    return true;
  }));
  EXPECT_TRUE(read("b") == content);
  EXPECT_EQ(told, content.size());
}

TEST_P(FileTest, CopiesEmptyFilesAndWithoutProgress) {
  build({file("a"), file("c", "text")});
  ASSERT_TRUE(create("b")->copy_content(*reopen("a"), {}));
  ASSERT_TRUE(create("d")->copy_content(*reopen("c"), {}));
  EXPECT_EQ(read("b") + read("d"), "text");
}

TEST_P(FileTest, CopiesHolesAsHoles) {
  auto made = create("a");
  ASSERT_TRUE(made->write_at(2 * kMiB, bytes(std::string(4096, 'x'))));
  ASSERT_TRUE(made->truncate(8 * kMiB));
  auto copy = create("b");
  ASSERT_TRUE(copy->copy_content(*made, {}));
  EXPECT_TRUE(read("b") == read("a"));
  EXPECT_EQ(ranges(*copy, 8 * kMiB), ranges(*made, 8 * kMiB));
}

TEST_P(FileTest, StopsCopyingWhenTold) {
  build({file("a", "text")});
  EXPECT_EQ(code(create("b")->copy_content(*reopen("a"), [](std::uint64_t) { return false; })),
            Errc::interrupted);
}

}  // namespace
}  // namespace ssync::fs
