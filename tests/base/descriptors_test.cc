#include "ssync/base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

namespace ssync {
namespace {

/// Limits and descriptors belong to the process.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void limit_to(rlim_t soft, rlim_t hard) {
  const rlimit limit{soft, hard};
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(DescriptorsTest, WhatWasClosedAtTheStartIsTheNullDevice) {
  EXPECT_EQ(in_child([] {
              ::close(0);
              ::close(2);
              open_standard_descriptors();
              struct stat null_device {};
              ::stat("/dev/null", &null_device);
              for (const int fd : {0, 2}) {
                struct stat got {};
                if (::fstat(fd, &got) != 0 || got.st_rdev != null_device.st_rdev) return 1;
              }
              return (::fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY &&
                             (::fcntl(2, F_GETFL) & O_ACCMODE) == O_WRONLY
                         ? 0
                         : 2;
            }),
            0);
}

TEST(DescriptorsTest, TheSoftLimitIsRaisedAndTooLittleIsSaid) {
  EXPECT_EQ(in_child([] {
              limit_to(20, 60);
              if (!raise_descriptor_limit(30)) return 1;
              rlimit now{};
              ::getrlimit(RLIMIT_NOFILE, &now);
              if (now.rlim_cur != 60) return 2;
              const Result<void> too_little = raise_descriptor_limit(1000);
              return !too_little && too_little.error().text().find("ulimit -n") != std::string::npos ? 0 : 3;
            }),
            0);
}

TEST(DescriptorsTest, WhatIsLeftIsCounted) {
  EXPECT_EQ(in_child([] {
              limit_to(50, 50);
              const std::size_t before = descriptors_left();
              if (::dup(1) < 0 || ::dup(1) < 0) return 1;
              return before < 50 && descriptors_left() == before - 2 ? 0 : 2;
            }),
            0);
}

TEST(DescriptorsTest, OpeningWaitsForADescriptorThatComesBack) {
  EXPECT_EQ(in_child([] {
              const int held = ::dup(1);
              limit_to(static_cast<rlim_t>(held) + 1, static_cast<rlim_t>(held) + 1);
              if (::dup(1) >= 0 || errno != EMFILE) return 1;
              std::thread giver([held] {
                std::this_thread::sleep_for(std::chrono::milliseconds(30));
                ::close(held);
              });
              const int got = open_with_patience([] { return ::dup(1); });
              giver.join();
              return got == held ? 0 : 2;
            }),
            0);
}

TEST(DescriptorsTest, OtherErrorsAreNotWaitedFor) {
  int calls = 0;
  EXPECT_EQ(open_with_patience([&] {
              ++calls;
              errno = ENOENT;
              return -1;
            }),
            -1);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace ssync
