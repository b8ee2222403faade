#include "ssync/base/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <gtest/gtest.h>

namespace ssync {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

UniqueFd open_null() {
  return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(UniqueFdTest, ClosesWhatItOwns) {
  int number = -1;
  {
    const UniqueFd fd = open_null();
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFdTest, DefaultAndFailedOpenAreInvalid) {
  EXPECT_FALSE(UniqueFd().valid());
  EXPECT_FALSE(static_cast<bool>(UniqueFd(::open("/nonexistent", O_RDONLY | O_CLOEXEC))));
}

TEST(UniqueFdTest, MovingTransfersAndMoveAssignmentClosesTheOld) {
  UniqueFd first = open_null();
  UniqueFd second = open_null();
  const int first_number = first.get();
  const int second_number = second.get();

  first = std::move(second);

  EXPECT_EQ(first.get(), second_number);
  EXPECT_FALSE(is_open(first_number));
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): being empty is the contract
  EXPECT_FALSE(second.valid());
}

TEST(UniqueFdTest, ReleaseLeavesTheDescriptorOpen) {
  UniqueFd fd = open_null();
  const int number = fd.release();

  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(UniqueFdTest, ResetKeepsErrno) {
  UniqueFd fd = open_null();
  errno = ENOSPC;
  fd.reset();
  EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace ssync
