// What must not happen: deletes that nobody meant, wrong sources, nested roots, half files.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class SafetyTest : public ::testing::Test {
 protected:
  void fill(const stdfs::path& directory, int files) {
    for (int i = 0; i < files; ++i)
      write_file(directory / ("file-" + std::to_string(i)), "content " + std::to_string(i));
  }
  [[nodiscard]] static int count(const stdfs::path& directory) {
    return static_cast<int>(
        std::distance(stdfs::recursive_directory_iterator(directory), stdfs::recursive_directory_iterator()));
  }
  Bench bench_;
};

TEST_F(SafetyTest, AMirrorThatWasNeverSyncedKeepsAHundredStrangers) {
  bench_.start_server();
  fill(bench_.mirror(), 100);
  write_file(bench_.source() / "one", "1");
  const Finished stopped = bench_.sync();
  EXPECT_EQ(stopped.code, 25) << stopped.out;
  EXPECT_NE(stopped.err.find("--max-delete=100"), std::string::npos) << stopped.err;
  EXPECT_EQ(count(bench_.mirror()), 100);
  bench_.expect_sync({"--max-delete=100"});
}

TEST_F(SafetyTest, AnEmptiedSourceDoesNotEmptyTheMirror) {
  bench_.start_server();
  fill(bench_.source(), 150);
  bench_.expect_sync();
  for (int i = 0; i < 150; ++i)
    stdfs::remove(bench_.source() / ("file-" + std::to_string(i)));
  const Finished stopped = bench_.sync();
  EXPECT_EQ(stopped.code, 25);
  EXPECT_EQ(count(bench_.mirror()), 150);
  bench_.expect_sync({"--max-delete=150"});
}

TEST_F(SafetyTest, MoreThanHalfIsHeldAndLessIsNot) {
  bench_.start_server();
  fill(bench_.source(), 300);
  bench_.expect_sync();
  for (int i = 0; i < 120; ++i)
    stdfs::remove(bench_.source() / ("file-" + std::to_string(i)));
  bench_.expect_sync();
  for (int i = 120; i < 250; ++i)
    stdfs::remove(bench_.source() / ("file-" + std::to_string(i)));
  EXPECT_EQ(bench_.sync().code, 25);
  EXPECT_EQ(count(bench_.mirror()), 180);
}

TEST_F(SafetyTest, MaxDeleteWithholdsDeletesAndDoesTheRest) {
  bench_.start_server();
  fill(bench_.source(), 10);
  bench_.expect_sync();
  for (int i = 0; i < 5; ++i)
    stdfs::remove(bench_.source() / ("file-" + std::to_string(i)));
  write_file(bench_.source() / "new", "new");
  EXPECT_EQ(bench_.sync({"--max-delete=4"}).code, 25);
  EXPECT_EQ(count(bench_.mirror()), 11);
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "new"));
  bench_.expect_sync({"--max-delete=5"});
}

TEST_F(SafetyTest, TheServersMaxDeleteCannotBeLifted) {
  bench_.start_server({"--max-delete=2"});
  fill(bench_.source(), 10);
  EXPECT_EQ(bench_.sync().code, 0);
  for (int i = 0; i < 3; ++i)
    stdfs::remove(bench_.source() / ("file-" + std::to_string(i)));
  EXPECT_EQ(bench_.sync({"--max-delete=1000"}).code, 25);
  EXPECT_EQ(count(bench_.mirror()), 10);
}

TEST_F(SafetyTest, NoDeleteKeepsExtras) {
  bench_.start_server();
  fill(bench_.source(), 3);
  bench_.expect_sync();
  stdfs::remove(bench_.source() / "file-0");
  EXPECT_EQ(bench_.sync({"--no-delete"}).code, 0);
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "file-0"));
  bench_.expect_sync();
}

TEST_F(SafetyTest, AnotherFileSystemUnderTheSameNameIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  bench_.start_server();
  fill(bench_.source(), 3);
  bench_.expect_sync();
  if (mount("tmpfs", bench_.source().c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "this machine does not let us mount a tmpfs";
  const Finished refused = bench_.sync();
  EXPECT_EQ(refused.code, 25) << refused.err;
  EXPECT_NE(refused.err.find("--accept-root"), std::string::npos) << refused.err;
  EXPECT_EQ(count(bench_.mirror()), 3);
  bench_.expect_sync({"--accept-root"});
  umount2(bench_.source().c_str(), MNT_DETACH);
}

TEST_F(SafetyTest, ASecondSourceIsRefusedAndNamesTheWaysOut) {
  bench_.start_server();
  fill(bench_.source(), 3);
  bench_.expect_sync({"--source-id=first"});
  const Finished refused = bench_.sync({"--source-id=second"});
  EXPECT_EQ(refused.code, 5);
  for (const char* word : {"first", "second", "--take-over", "--source-id"})
    EXPECT_NE(refused.err.find(word), std::string::npos) << word << refused.err;
  bench_.stop_server();
  bench_.start_server({"--take-over"});
  bench_.expect_sync({"--source-id=second"});
}

TEST_F(SafetyTest, EqualAndNestedRootsAreRefused) {
  bench_.start_server();
  write_file(bench_.mirror() / "file", "x");
  stdfs::create_directory(bench_.mirror() / "inside");
  for (const stdfs::path& source :
       {bench_.mirror(), bench_.mirror() / "inside", bench_.mirror().parent_path()}) {
    std::vector<std::string> arguments = bench_.client_arguments({"--once"});
    arguments[1] = source.string();
    const Finished refused = run(arguments);
    EXPECT_EQ(refused.code, 3) << source << refused.err;
    EXPECT_NE(refused.err.find("inside"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(read_file(bench_.mirror() / "file"), "x");
}

TEST_F(SafetyTest, TwoServersOnOneMirror) {
  bench_.start_server();
  std::vector<std::string> arguments = bench_.server_arguments({});
  arguments[6] = "0";
  arguments[8] = "0";
  const Finished refused = run(arguments);
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_NE(refused.err.find(bench_.mirror().string()), std::string::npos) << refused.err;
}

TEST_F(SafetyTest, APortInUse) {
  bench_.start_server();
  stdfs::create_directory(bench_.path("other"));
  std::vector<std::string> arguments = bench_.server_arguments({});
  arguments[1] = bench_.path("other").string();
  const Finished refused = run(arguments);
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_NE(refused.err.find(std::to_string(bench_.control_port())), std::string::npos) << refused.err;
}

TEST_F(SafetyTest, DirectoriesThatAreNotThereOrNone) {
  write_file(bench_.path("file"), "x");
  for (const std::string program_name : {"client-sync", "server-sync"}) {
    for (const char* name : {"missing", "file"}) {
      const Finished refused = run(
          {program(program_name), bench_.path(name).string(), "--state-dir", bench_.path("state").string()});
      EXPECT_EQ(refused.code, 3) << program_name << " " << name << refused.err;
      EXPECT_NE(refused.err.find(bench_.path(name).string()), std::string::npos) << refused.err;
    }
    EXPECT_EQ(run({program(program_name)}).code, 1);
    EXPECT_EQ(run({program(program_name), "--no-such-option", "x"}).code, 1);
  }
}

TEST_F(SafetyTest, AServerThatIsDownIsExitTen) {
  bench_.start_server();
  bench_.stop_server();
  const Finished failed = bench_.sync({"--contimeout=0.5"});
  EXPECT_EQ(failed.code, 10) << failed.err;
  EXPECT_FALSE(failed.err.empty());
}

TEST_F(SafetyTest, HelpSaysThatFilesAreDeleted) {
  for (const char* name : {"client-sync", "server-sync"}) {
    const Finished help = run({program(name), "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.substr(0, help.out.find('\n')).find("deleted"), std::string::npos) << help.out;
  }
}

TEST_F(SafetyTest, AMountThatPutsOneTreeInsideTheOtherIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  stdfs::create_directory(bench_.source() / "data");
  fill(bench_.source() / "data", 3);
  for (const bool mirror_holds_source : {true, false}) {
    SCOPED_TRACE(mirror_holds_source);
    const stdfs::path inside = (mirror_holds_source ? bench_.mirror() : bench_.source()) / "deep/in";
    const stdfs::path& mounted = mirror_holds_source ? bench_.source() : bench_.mirror();
    stdfs::create_directories(inside);
    if (mount(mounted.c_str(), inside.c_str(), nullptr, MS_BIND, nullptr) != 0)
      GTEST_SKIP() << "this machine does not let us bind";
    bench_.start_server();
    const Finished refused = bench_.sync({"--contimeout=20"});
    bench_.stop_server();
    umount2(inside.c_str(), MNT_DETACH);
    EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
    EXPECT_NE(refused.err.find("deep/in"), std::string::npos) << refused.err;
    EXPECT_EQ(std::distance(stdfs::directory_iterator(bench_.source() / "data"), {}), 3);
    EXPECT_FALSE(stdfs::exists(bench_.mirror() / "data"));
  }
}

TEST_F(SafetyTest, AMountThatIsGoneBelowTheSourceEmptiesNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  stdfs::create_directory(bench_.source() / "disk");
  if (mount("tmpfs", (bench_.source() / "disk").c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "this machine does not let us mount a tmpfs";
  fill(bench_.source() / "disk", 3);
  fill(bench_.source(), 3);
  bench_.start_server();
  bench_.expect_sync();
  ASSERT_EQ(umount2((bench_.source() / "disk").c_str(), MNT_DETACH), 0);
  for (int i = 0; i < 2; ++i) {  // it stays so, also for the next sync
    const Finished held = bench_.sync();
    EXPECT_EQ(held.code, 23) << held.out << held.err;
    EXPECT_NE(held.err.find("disk: a file system was mounted here"), std::string::npos) << held.err;
    EXPECT_EQ(count(bench_.mirror() / "disk"), 3);
  }
  bench_.expect_sync({"--accept-root"});
  EXPECT_EQ(count(bench_.mirror() / "disk"), 0);
}

TEST_F(SafetyTest, AnUnreadableDirectoryIsLeftAlone) {
  stdfs::create_directory(bench_.source() / "closed");
  write_file(bench_.source() / "closed" / "file", "x");
  if (!bench_.run_as_ordinary_user()) GTEST_SKIP() << "an ordinary user cannot run the programs here";
  bench_.start_server();
  bench_.expect_sync();
  chmod((bench_.source() / "closed").c_str(), 0);
  EXPECT_EQ(bench_.sync().code, 23);
  EXPECT_TRUE(stdfs::exists(bench_.mirror() / "closed" / "file"));
}

TEST_F(SafetyTest, AnUnreadableSourceOrMirrorIsNamed) {
  write_file(bench_.source() / "file", "x");
  if (!bench_.run_as_ordinary_user()) GTEST_SKIP() << "an ordinary user cannot run the programs here";
  bench_.start_server();
  bench_.expect_sync();
  chmod(bench_.source().c_str(), 0);
  const Finished done = bench_.sync();
  EXPECT_NE(done.code, 0);
  EXPECT_NE(done.err.find(bench_.source().string() + ": Permission denied"), std::string::npos) << done.err;
  EXPECT_EQ(read_file(bench_.mirror() / "file"), "x");
  chmod(bench_.source().c_str(), 0755);
  bench_.stop_server();

  if (geteuid() != 0) return;  // whose own mirror it is, he gives himself the access back
  ASSERT_EQ(chown(bench_.mirror().c_str(), 0, 0), 0);
  chmod(bench_.mirror().c_str(), 0700);
  const Finished server = run(bench_.server_arguments({}));
  EXPECT_NE(server.code, 0);
  EXPECT_NE(server.err.find(bench_.mirror().string() + ": Permission denied"), std::string::npos)
      << server.err;
}

}  // namespace
}  // namespace ssync::integration
