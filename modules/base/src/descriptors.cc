#include "ssync/base/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

namespace ssync {
namespace {

constexpr std::size_t kUsuallyOpen = 10;
constexpr std::size_t kManyDescriptors = std::size_t{1} << 20U;

std::size_t limit_now() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, kManyDescriptors));
}

std::size_t open_now() noexcept {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir("/proc/self/fd"), &::closedir);
  if (!open) return kUsuallyOpen;
  std::size_t count = 0;
  while (::readdir(open.get()) != nullptr)
    ++count;
  return count < 3 ? 0 : count - 3;  // ".", "..", and the one that reads
}

}  // namespace

void open_standard_descriptors() noexcept {
  // The lowest number that is free is the one that is given out.
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

std::size_t descriptors_left() noexcept {
  const std::size_t limit = limit_now();
  const std::size_t open = open_now();
  return limit > open ? limit - open : 0;
}

Result<void> raise_descriptor_limit(std::size_t needed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::size_t left = descriptors_left();
  if (left >= needed) return {};
  const std::size_t have = limit_now();
  return fail(Errc::limit, "only " + std::to_string(have) + " files may be open at once, and at least " +
                               std::to_string(have + needed - left) +
                               " are needed: raise the limit (ulimit -n " +
                               std::to_string(have + needed - left) + ", or LimitNOFILE= of a service)");
}

bool DescriptorWait::once() noexcept {
  if (std::chrono::steady_clock::now() >= until_) return false;
  const int err = errno;
  ::poll(nullptr, 0, std::exchange(next_ms_, std::min(next_ms_ * 2, 50)));
  errno = err;
  return true;
}

bool is_shortage(int err) noexcept {
  return is_out_of_descriptors(err) || err == ENOMEM;
}

}  // namespace ssync
