#include "ssync/monitor/endpoint.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "ssync/base/unique_fd.h"

namespace ssync::monitor {
namespace {

class EndpointTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* before = std::getenv("XDG_RUNTIME_DIR")) before_ = before;
    std::string name = (std::filesystem::temp_directory_path() / "ssync-run-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    set_runtime_directory(before_);
  }
  static void set_runtime_directory(const std::optional<std::string>& value) {
    value ? ::setenv("XDG_RUNTIME_DIR", value->c_str(), 1) : ::unsetenv("XDG_RUNTIME_DIR");
  }

  std::string directory_;
  std::optional<std::string> before_;
  /// Where it is without one: root has /run, others may have a directory of their own below it.
  [[nodiscard]] std::set<std::string> elsewhere() const {
    std::set<std::string> out;
    const std::string user = std::to_string(::geteuid());
    for (const std::string& directory :
         {std::string("/run/server-sync"), "/run/user/" + user + "/server-sync", "/tmp/server-sync-" + user})
      out.insert("ipc://" + directory + "/monitor-7101.sock");
    return out;
  }
};

TEST_F(EndpointTest, IsInTheRuntimeDirectory) {
  set_runtime_directory(directory_);
  EXPECT_EQ(default_endpoint(7101), "ipc://" + directory_ + "/server-sync/monitor-7101.sock");
}

TEST_F(EndpointTest, IsInADirectoryOfThisUserWithoutOne) {
  for (const std::optional<std::string>& useless :
       {std::optional<std::string>(), {""}, {"relative"}, {directory_ + "/none"}}) {
    set_runtime_directory(useless);
    EXPECT_TRUE(elsewhere().contains(default_endpoint(7101))) << default_endpoint(7101);
  }
}

TEST_F(EndpointTest, IsFoundWhereASocketIs) {
  set_runtime_directory(directory_);
  EXPECT_EQ(find_endpoint(1), default_endpoint(1)) << "nowhere: where it would be";
  const std::string path = directory_ + "/server-sync/monitor-1.sock";
  ASSERT_EQ(::mkdir((directory_ + "/server-sync").c_str(), 0700), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(find_endpoint(1), "ipc://" + path);
}

}  // namespace
}  // namespace ssync::monitor
