// What only the real tree can show: privileges, umask, ACLs, kernels and file systems that lack something.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "ssync/fs/staging.h"

#include "in_child.h"
#include "tree_suite.h"

namespace ssync::fs {
namespace {

using support::dir;
using support::file;
using support::link;

class RealTest : public testing::Test {
 protected:
  Root open() const { return Root::open(base_.path(), Root::Lock::no).value(); }
  void build(const std::vector<support::Node>& nodes) {
    Root root = open();
    ASSERT_TRUE(support::build(root.tree(), nodes));
  }
  void give_to_everybody() { std::filesystem::permissions(base_.path(), std::filesystem::perms::all); }

  TemporaryDirectory base_{disk_parent()};
};

template <typename T>
std::string told(const Result<T>& result) {
  return result ? "fine" : std::string(to_string(result.error().code));
}

class UmaskScope {
 public:
  explicit UmaskScope(mode_t mask) : old_(::umask(mask)) {}
  ~UmaskScope() { ::umask(old_); }

 private:
  mode_t old_;
};

TEST_F(RealTest, TheUmaskTakesNothingFromFiles) {
  for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
    const UmaskScope scope(mask);
    Root root = open();
    auto top = root.tree().open("").value();
    const std::string name = std::to_string(mask);
    ASSERT_TRUE(top->create_file(name, 0666));
    ASSERT_TRUE(top->make_directory("d" + name, 0));
    EXPECT_EQ(top->stat(name)->seen.values.mode, 0666);
    EXPECT_EQ(top->stat("d" + name)->seen.values.mode & 0700, 0700);
  }
}

// linux/posix_acl_xattr.h: version 2, then tag, permissions, id. Grants user 1234 everything and others
// nothing.
bool set_default_acl(const std::string& path) {
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  struct {
    std::uint32_t version = 2;
    std::array<Entry, 5> entries{
        {{0x01, 7, ~0U}, {0x02, 7, 1234}, {0x04, 5, ~0U}, {0x10, 7, ~0U}, {0x20, 0, ~0U}}};
  } acl;
  return ::setxattr(path.c_str(), "system.posix_acl_default", &acl, sizeof acl, 0) == 0;
}

TEST_F(RealTest, ADefaultAclTakesNothingFromFilesAndGivesNothingToStaging) {
  if (!set_default_acl(base_.path())) GTEST_SKIP() << "no ACLs on this file system";
  Root root = open();
  auto top = root.tree().open("").value();
  ASSERT_TRUE(top->create_file("f", 0666));
  EXPECT_EQ(top->stat("f")->seen.values.mode, 0666);
  Staging staging(root.tree());
  auto staged = staging.open().value();
  EXPECT_EQ(staged->stat_self()->seen.values.mode, 0700);
  ASSERT_TRUE(staged->create_file("0", 0644));
  EXPECT_EQ(staged->stat("0")->seen.values.mode, 0644);
  NameList names;
  ASSERT_TRUE(top->list(names));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string path = base_ / std::string(names[i]);
    if (!is_staging_name(names[i])) continue;
    EXPECT_LT(::getxattr(path.c_str(), "system.posix_acl_default", nullptr, 0), 0);
    EXPECT_LT(::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0), 0);
    EXPECT_LT(::getxattr((path + "/0").c_str(), "system.posix_acl_access", nullptr, 0), 0);
  }
}

TEST_F(RealTest, DeniesByPermissionWithoutRoot) {
  build({dir("d", file("f")).with_mode(0500), file("g").with_mode(0), dir("secret").with_mode(0)});
  if (::geteuid() != 0) GTEST_SKIP() << "needs files of another user";
  give_to_everybody();
  if (!nobody_reaches(base_.path())) GTEST_SKIP() << "the build folder is closed to other users";
  std::filesystem::permissions(base_ / "d", static_cast<std::filesystem::perms>(0755));
  EXPECT_EQ(as_nobody([&]() -> std::string {
              Root root = open();
              auto d = root.tree().open("d").value();
              auto top = root.tree().open("").value();
              const std::vector<std::string> all{
                  told(d->create_file("x", 0600)),  told(d->remove("f")),
                  told(top->open_file("g")),        told(root.tree().open("secret")),
                  told(top->set_mode("g", 0600)),   told(top->set_owner("g", {1, 1})),
                  told(top->set_mtime("g", {1, 1}))};
              const std::vector<std::string> denied(all.size(), "permission");
              return all == denied ? "all denied" : "not all denied";
            }),
            "all denied");
}

TEST_F(RealTest, ChangesMetadataOfOwnFilesThatItMayNotRead) {
  give_to_everybody();
  if (!nobody_reaches(base_.path())) GTEST_SKIP() << "the build folder is closed to other users";
  EXPECT_EQ(as_nobody([&]() -> std::string {
              Root root = open();
              auto top = root.tree().open("").value();
              if (!top->create_file("f", 0) || !top->make_link("l", "f")) return "cannot build";
              std::string seen = told(top->set_mtime("f", {1, 2}));
              seen += " " + told(top->set_mode("l", 0600));
              seen += " " + told(top->set_mode("f", 0200));
              return seen + " " + std::to_string(top->stat("f")->seen.values.mode);
            }),
            "fine fine fine 128");
}

TEST_F(RealTest, OpensLocationsWithoutOpenat2) {
  build({dir("a", dir("b", file("f"))), link("l", "a"), file("f")});
  for (const int err : {ENOSYS, EPERM}) {
    EXPECT_EQ(without_openat2(err,
                              [&]() -> std::string {
                                Root root = open();
                                Tree& tree = root.tree();
                                auto b = tree.open("a/b");
                                if (!b) return told(b);
                                return told((*b)->stat("f")) + " " + told(tree.open("l")) + " " +
                                       told(tree.open("l/b")) + " " + told(tree.open("f/x")) + " " +
                                       told(tree.open("a/x/y")) + " " + told(tree.open("a/../f"));
                              }),
              "fine not_directory not_directory not_directory not_found invalid_argument");
  }
}

TEST_F(RealTest, PassesThroughDirectoriesThatItMayNotList) {
  build({dir("a", dir("b", file("f")))});
  give_to_everybody();
  if (!nobody_reaches(base_.path())) GTEST_SKIP() << "the build folder is closed to other users";
  std::filesystem::permissions(base_ / "a", static_cast<std::filesystem::perms>(0711));
  const auto look = [&]() -> std::string {
    Root root = open();
    return told(root.tree().open("a/b")) + " " + told(root.tree().open("a"));
  };
  const std::string wanted = ::geteuid() == 0 ? "fine permission" : "fine fine";
  EXPECT_EQ(as_nobody(look), wanted);
  EXPECT_EQ(without_openat2(ENOSYS, [&] { return as_nobody(look); }), wanted);
}

TEST_F(RealTest, NeitherWaitsForFifosNorOpensSockets) {
  ASSERT_EQ(::mkfifo((base_ / "fifo").c_str(), 0600), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const std::filesystem::path old = std::filesystem::current_path();
  std::filesystem::current_path(base_.path());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "socket");
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::filesystem::current_path(old);
  Root root = open();
  auto top = root.tree().open("").value();
  EXPECT_EQ(top->stat("fifo")->type, Stat::Type::other);
  EXPECT_EQ(top->stat("socket")->type, Stat::Type::other);
  EXPECT_EQ(code(top->open_file("fifo")), Errc::changed);
  EXPECT_EQ(code(top->open_file("socket")), Errc::changed);
  ::close(socket);
}

TEST_F(RealTest, SeesMountsAndFullDisks) {
  build({dir("m"), file("f", "text")});
  const std::string seen = with_tmpfs(base_ / "m", 64, [&]() -> std::string {
    Root root = open();
    auto top = root.tree().open("").value();
    auto m = top->open_child("m").value();
    auto full = m->create_file("full", 0600).value();
    auto copy = m->create_file("copy", 0600).value();
    std::string what = std::string(top->stat("m")->mount_point ? "mount " : "none ") + m->volume()->type_name;
    what += " " + told(top->rename("f", *m, "f", Replace::yes));
    what += " " + told(full->write_at(0, bytes(std::string(100'000, 'x'))));
    what += " " + told(copy->copy_content(*full, {}));
    return what + " " + told(top->remove_directory("m"));
  });
  if (seen == "skip") GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(seen, "mount tmpfs cross_device no_space no_space busy");
}

TEST_F(RealTest, CopiesBetweenFileSystemsAndTellsOften) {
  if (memory_parent().empty()) GTEST_SKIP() << "no tmpfs at /dev/shm";
  const TemporaryDirectory memory(memory_parent());
  Root from_root = Root::open(memory.path(), Root::Lock::no).value();
  Root to_root = open();
  auto from = from_root.tree().open("").value()->create_file("a", 0600).value();
  auto to = to_root.tree().open("").value()->create_file("b", 0600).value();
  constexpr std::uint64_t kMiB = 1024 * 1024;
  const std::string block(kMiB, 'b');
  for (std::uint64_t i = 0; i < 130; ++i)
    ASSERT_TRUE(from->write_at(i * kMiB, bytes(block)));
  std::vector<std::uint64_t> told_bytes;
  ASSERT_TRUE(to->copy_content(*from, [&](std::uint64_t done) {
    told_bytes.push_back(done);
    return true;
  }));
  EXPECT_GE(told_bytes.size(), 3U);
  EXPECT_LE(told_bytes.front(), 64 * kMiB + 256 * 1024);
  EXPECT_EQ(told_bytes.back(), 130 * kMiB);
  EXPECT_EQ(to->stat()->seen.values.size, 130 * kMiB);
  std::string last(kMiB, '\0');
  ASSERT_TRUE(to->read_at(129 * kMiB, std::as_writable_bytes(std::span(last))));
  EXPECT_TRUE(last == block);
}

TEST_F(RealTest, LeavesAtimeWhenSettingMtime) {
  build({file("f", "x")});
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(::stat((base_ / "f").c_str(), &before), 0);
  Root root = open();
  ASSERT_TRUE(root.tree().open("").value()->set_mtime("f", {77, 88}));
  ASSERT_EQ(::stat((base_ / "f").c_str(), &after), 0);
  EXPECT_EQ(after.st_atim.tv_sec, before.st_atim.tv_sec);
  EXPECT_EQ(after.st_atim.tv_nsec, before.st_atim.tv_nsec);
  EXPECT_EQ(after.st_mtim.tv_nsec, 88);
}

TEST_F(RealTest, CountsHardLinks) {
  build({file("a")});
  std::filesystem::create_hard_link(base_ / "a", base_ / "b");
  Root root = open();
  EXPECT_EQ(root.tree().open("").value()->stat("b")->seen.links, 2U);
}

TEST_F(RealTest, DoesNotMixTrees) {
  support::FakeTree fake({file("f")});
  build({file("f", "x")});
  Root root = open();
  auto top = root.tree().open("").value();
  auto fake_top = fake.open("").value();
  EXPECT_EQ(code(top->rename("f", *fake_top, "g", Replace::yes)), Errc::invalid_argument);
  EXPECT_EQ(code(fake_top->rename("f", *top, "g", Replace::yes)), Errc::invalid_argument);
  auto made = top->create_file("h", 0600).value();
  EXPECT_EQ(code(made->copy_content(*fake_top->open_file("f").value(), {})), Errc::invalid_argument);
}

}  // namespace
}  // namespace ssync::fs
