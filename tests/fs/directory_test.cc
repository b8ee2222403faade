#include <gmock/gmock.h>

#include "tree_suite.h"

namespace ssync::fs {
namespace {

using support::dir;
using support::file;
using support::link;
using testing::ElementsAre;

class DirectoryTest : public TreeSuite {};
INSTANTIATE_TEST_SUITE_P(Trees, DirectoryTest, testing::Values(On::disk, On::memory, On::fake), param_name);

TEST_P(DirectoryTest, ListsAllNamesWhateverTheirBytes) {
  const std::string longest(255, 'x');
  build({file(".hidden"), file("caf\xe9"), file("new\nline"), file("\xf0\x9f\x98\x80"), dir("d"),
         link("l", "nowhere"), file(longest)});
  EXPECT_THAT(names(""),
              ElementsAre(".hidden", "caf\xe9", "d", "l", "new\nline", longest, "\xf0\x9f\x98\x80"));
}

TEST_P(DirectoryTest, ListsAgainFromTheStart) {
  build({file("a")});
  auto root = top();
  NameList list;
  ASSERT_TRUE(root->list(list));
  build({file("b")});
  list.clear();
  ASSERT_TRUE(root->list(list));
  EXPECT_EQ(list.size(), 2U);
}

TEST_P(DirectoryTest, ListsMoreThanOneBufferHolds) {
  auto root = top();
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(root->create_file(std::string(200, 'n') + std::to_string(i), 0600));
  EXPECT_EQ(names("").size(), 1000U);
}

TEST_P(DirectoryTest, TellsKindsApartWithoutFollowingLinks) {
  build({file("f", "text"), dir("d"), link("to_d", "d"), link("dangling", "x")});
  auto root = top();
  EXPECT_EQ(root->stat("f")->type, Stat::Type::file);
  EXPECT_EQ(root->stat("d")->type, Stat::Type::directory);
  EXPECT_EQ(root->stat("to_d")->type, Stat::Type::symlink);
  EXPECT_EQ(root->stat("dangling")->seen.values.kind, Kind::symlink);
  EXPECT_EQ(code(root->stat("absent")), Errc::not_found);
}

TEST_P(DirectoryTest, StatHasTheValuesThatAreMirrored) {
  build({file("f", "text").with_mode(0640)});
  const Stat stat = top()->stat("f").value();
  EXPECT_EQ(stat.seen.values,
            (Values{Kind::file, 0640, 4, support::kBuiltMtime, {::geteuid(), ::getegid()}}));
  EXPECT_EQ(stat.seen.links, 1U);
  EXPECT_GE(stat.blocks_512, 1U);
  EXPECT_FALSE(stat.mount_point);
}

TEST_P(DirectoryTest, LinksAndDirectoriesHaveNoSizeAndLinksNoMode) {
  build({dir("d", file("a")), link("l", "target")});
  auto root = top();
  EXPECT_EQ(root->stat("d")->seen.values.size, 0U);
  EXPECT_EQ(root->stat("l")->seen.values.size, 0U);
  EXPECT_EQ(root->stat("l")->seen.values.mode, 0);
  EXPECT_EQ(root->stat("d")->seen.values.mode, 0755);
}

TEST_P(DirectoryTest, StatOfItselfIsTheOneThatItsParentSees) {
  build({dir("d", dir("e"))});
  const Stat self = open("d")->stat_self().value();
  EXPECT_EQ(self.seen, top()->stat("d")->seen);
  EXPECT_EQ(self.seen.device, open("")->stat_self()->seen.device);
}

TEST_P(DirectoryTest, OpensALocationOfAnyDepth) {
  std::string location;
  ASSERT_TRUE(top()->make_directory("d", 0700));
  for (int depth = 0; depth < 60; ++depth) {
    const std::string name(depth == 0 ? 1 : 200, 'd');
    if (depth > 0) {
      ASSERT_TRUE(open(location)->make_directory(name, 0700));
    }
    location = join({location, name});
  }
  ASSERT_GT(location.size(), 2U * 4096U);
  auto deepest = tree().open(location);
  ASSERT_TRUE(deepest) << deepest.error().text();
  ASSERT_TRUE((*deepest)->create_file("f", 0600));
  EXPECT_THAT(names(location), ElementsAre("f"));
}

TEST_P(DirectoryTest, RefusesLinksAnywhereInALocation) {
  build({dir("d", dir("e")), link("l", "d"), link("up", ".."), link("out", "/tmp")});
  EXPECT_EQ(code(tree().open("l")), Errc::not_directory);
  EXPECT_EQ(code(tree().open("l/e")), Errc::not_directory);
  EXPECT_EQ(code(tree().open("up")), Errc::not_directory);
  EXPECT_EQ(code(tree().open("out")), Errc::not_directory);
  EXPECT_EQ(code(top()->open_child("l")), Errc::not_directory);
}

TEST_P(DirectoryTest, RefusesFilesAndAbsentOnesAsLocations) {
  build({file("f")});
  EXPECT_EQ(code(tree().open("f")), Errc::not_directory);
  EXPECT_EQ(code(tree().open("f/x")), Errc::not_directory);
  EXPECT_EQ(code(tree().open("absent")), Errc::not_found);
  EXPECT_EQ(code(top()->open_child("f")), Errc::not_directory);
}

TEST_P(DirectoryTest, RefusesNamesThatCouldLeadElsewhere) {
  auto root = top();
  for (const std::string_view name : {std::string_view(), std::string_view("."), std::string_view(".."),
                                      std::string_view("a/b"), std::string_view("a\0b", 3)}) {
    EXPECT_EQ(code(root->stat(name)), Errc::invalid_argument);
    EXPECT_EQ(code(root->create_file(name, 0600)), Errc::invalid_argument);
    EXPECT_EQ(code(root->open_child(name)), Errc::invalid_argument);
    EXPECT_EQ(code(root->remove(name)), Errc::invalid_argument);
    EXPECT_EQ(code(root->rename("x", *root, name, Replace::yes)), Errc::invalid_argument);
  }
  for (const std::string_view location : {"..", "/", "/etc", "a/", "a//b", "a/../b", "./a"}) {
    EXPECT_EQ(code(tree().open(location)), Errc::invalid_argument);
  }
}

TEST_P(DirectoryTest, HandlesDoNotShareAPosition) {
  build({file("a"), file("b")});
  auto one = top();
  auto other = top();
  NameList first;
  NameList second;
  ASSERT_TRUE(one->list(first));
  ASSERT_TRUE(other->list(second));
  EXPECT_EQ(second.size(), 2U);
}

TEST_P(DirectoryTest, AHandleFollowsItsDirectoryWhenItIsRenamed) {
  build({dir("a", file("f"))});
  auto handle = open("a");
  ASSERT_TRUE(top()->rename("a", *top(), "b", Replace::no));
  EXPECT_TRUE(handle->stat("f"));
  ASSERT_TRUE(handle->create_file("g", 0600));
  EXPECT_THAT(names("b"), ElementsAre("f", "g"));
}

TEST_P(DirectoryTest, AHandleOfARemovedDirectoryMakesNothing) {
  build({dir("a")});
  auto handle = open("a");
  ASSERT_TRUE(top()->remove_directory("a"));
  EXPECT_EQ(code(handle->create_file("f", 0600)), Errc::not_found);
  NameList list;
  EXPECT_EQ(code(handle->list(list)), Errc::not_found);
}

TEST_P(DirectoryTest, MakesDirectoriesThatTheirOwnerCanUse) {
  auto root = top();
  ASSERT_TRUE(root->make_directory("d", 0));
  EXPECT_EQ(root->stat("d")->seen.values.mode & 0700, 0700);
  EXPECT_EQ(code(root->make_directory("d", 0700)), Errc::already_exists);
}

TEST_P(DirectoryTest, LinksKeepTheirTargetBytes) {
  auto root = top();
  const std::string target = "../caf\xe9 \n" + std::string(4000, 't');
  ASSERT_TRUE(root->make_link("l", target));
  EXPECT_EQ(root->read_link("l"), target);
  EXPECT_EQ(code(root->make_link("l", "x")), Errc::already_exists);
}

TEST_P(DirectoryTest, RefusesTargetsThatNoLinkCanHave) {
  auto root = top();
  EXPECT_EQ(code(root->make_link("l", "")), Errc::invalid_argument);
  EXPECT_EQ(code(root->make_link("l", std::string_view("a\0b", 3))), Errc::invalid_argument);
  EXPECT_EQ(code(root->make_link("l", std::string(4096, 'x'))), Errc::invalid_argument);
}

TEST_P(DirectoryTest, SaysChangedWhenALinkIsNoneAnyMore) {
  build({file("f"), dir("d")});
  EXPECT_EQ(code(top()->read_link("f")), Errc::changed);
  EXPECT_EQ(code(top()->read_link("d")), Errc::changed);
  EXPECT_EQ(code(top()->read_link("absent")), Errc::not_found);
}

TEST_P(DirectoryTest, RemovesOnlyTheKindThatWasAskedFor) {
  build({file("f"), dir("d", file("x")), dir("e"), link("l", "d")});
  auto root = top();
  EXPECT_EQ(code(root->remove("d")), Errc::is_directory);
  EXPECT_EQ(code(root->remove_directory("f")), Errc::not_directory);
  EXPECT_EQ(code(root->remove_directory("l")), Errc::not_directory);
  EXPECT_EQ(code(root->remove_directory("d")), Errc::not_empty);
  EXPECT_TRUE(root->remove("f"));
  EXPECT_TRUE(root->remove("l"));
  EXPECT_TRUE(root->remove_directory("e"));
  EXPECT_EQ(dump(), "d dir 0755 -\nd/x file 0644 0 \"\"\n");
}

TEST_P(DirectoryTest, RenamesOverFilesAndLinks) {
  build({file("a", "new"), file("b", "old"), dir("d", link("l", "x")), file("c", "moved")});
  ASSERT_TRUE(top()->rename("a", *top(), "b", Replace::yes));
  ASSERT_TRUE(top()->rename("c", *open("d"), "l", Replace::yes));
  EXPECT_EQ(dump(), "b file 0644 3 \"new\"\nd dir 0755 -\nd/l file 0644 5 \"moved\"\n");
}

TEST_P(DirectoryTest, RenamesWithoutReplacing) {
  build({file("a", "1"), file("b", "2"), link("l", "nowhere")});
  EXPECT_EQ(code(top()->rename("a", *top(), "b", Replace::no)), Errc::already_exists);
  EXPECT_EQ(code(top()->rename("a", *top(), "l", Replace::no)), Errc::already_exists);
  EXPECT_TRUE(top()->rename("a", *top(), "c", Replace::no));
  EXPECT_EQ(dump(), "b file 0644 1 \"2\"\nc file 0644 1 \"1\"\nl link - - -> nowhere\n");
}

TEST_P(DirectoryTest, ExchangesEntriesOfAnyKind) {
  build({file("a", "1"), file("b", "2"), dir("d", file("x"))});
  ASSERT_TRUE(top()->rename("a", *top(), "b", Replace::exchange));
  ASSERT_TRUE(top()->rename("b", *top(), "d", Replace::exchange));
  EXPECT_EQ(dump(), "a file 0644 1 \"2\"\nb dir 0755 -\nd file 0644 1 \"1\"\nb/x file 0644 0 \"\"\n");
  EXPECT_EQ(code(top()->rename("a", *top(), "absent", Replace::exchange)), Errc::not_found);
}

TEST_P(DirectoryTest, RefusesToRenameOverTheOtherKindOrAFullDirectory) {
  build({file("f"), dir("d", file("x")), dir("e", dir("below"))});
  EXPECT_EQ(code(top()->rename("f", *top(), "d", Replace::yes)), Errc::is_directory);
  EXPECT_EQ(code(top()->rename("d", *top(), "f", Replace::yes)), Errc::not_directory);
  EXPECT_EQ(code(top()->rename("d", *top(), "e", Replace::yes)), Errc::not_empty);
  EXPECT_EQ(code(top()->rename("e", *open("e/below"), "e", Replace::yes)), Errc::invalid_argument);
  EXPECT_EQ(code(top()->rename("absent", *top(), "x", Replace::yes)), Errc::not_found);
}

TEST_P(DirectoryTest, CtimeMovesWithEveryChangeOfAnEntry) {
  build({file("f", "1"), dir("d")});
  const auto ctime = [&] { return top()->stat("f")->seen.ctime; };
  const auto moves = [&](const auto& change) {
    const FileTime before = ctime();
    tick();
    EXPECT_TRUE(change());
    return ctime() > before;
  };
  EXPECT_TRUE(moves([&] { return top()->set_mode("f", 0600); }));
  EXPECT_TRUE(moves([&] { return top()->set_mtime("f", {1, 2}); }));
  EXPECT_TRUE(moves([&] { return top()->set_owner("f", {::geteuid(), ::getegid()}); }));
  EXPECT_TRUE(moves([&] {
    return top()->rename("f", *top(), "g", Replace::no) && top()->rename("g", *top(), "f", Replace::no);
  }));
  EXPECT_FALSE(moves([&] { return top()->stat("f"); }));
}

TEST_P(DirectoryTest, MovingADirectoryLeavesCtimesBelowIt) {
  build({dir("d", file("f"))});
  const Seen before = open("d")->stat("f")->seen;
  tick();
  ASSERT_TRUE(top()->rename("d", *top(), "e", Replace::no));
  EXPECT_EQ(open("e")->stat("f")->seen, before);
}

TEST_P(DirectoryTest, MakingAndRemovingMovesTheTimesOfTheDirectory) {
  build({dir("d")});
  const auto mtime = [&] { return top()->stat("d")->seen.values.mtime; };
  tick();
  ASSERT_TRUE(open("d")->create_file("f", 0600));
  const FileTime made = mtime();
  EXPECT_GT(made, support::kBuiltMtime);
  tick();
  ASSERT_TRUE(open("d")->remove("f"));
  EXPECT_GT(mtime(), made);
}

TEST_P(DirectoryTest, NewEntriesTakeTheGroupOfASetgidDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving a directory to another group needs root";
  build({dir("d").with_owner({0, 1234}).with_mode(02775)});
  ASSERT_TRUE(open("d")->create_file("f", 0644));
  ASSERT_TRUE(open("d")->make_directory("e", 0755));
  EXPECT_EQ(open("d")->stat("f")->seen.values.owner.gid, 1234U);
  EXPECT_EQ(open("d")->stat("f")->seen.values.mode, 0644);
  EXPECT_EQ(open("d")->stat("e")->seen.values.mode, 02755);
}

TEST_P(DirectoryTest, StripAclIsFineWithoutAny) {
  EXPECT_TRUE(top()->strip_acl());
}

TEST_P(DirectoryTest, VolumeIsKnownAndTheSameForTreeAndRoot) {
  const Volume volume = tree().volume().value();
  EXPECT_FALSE(volume.type_name.empty());
  EXPECT_FALSE(volume.read_only);
  EXPECT_GT(volume.bytes_available, 0U);
  EXPECT_EQ(top()->volume()->type, volume.type);
  EXPECT_TRUE(tree().sync());
}

}  // namespace
}  // namespace ssync::fs
