#include "in_child.h"

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "ssync/base/assert.h"

namespace ssync::fs {
namespace {

bool block_openat2(int err) {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(err)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

std::string in_child(const std::function<std::string()>& work) {
  int ends[2];
  SSYNC_ASSERT(::pipe(ends) == 0);
  const pid_t child = ::fork();
  SSYNC_ASSERT(child >= 0);
  if (child == 0) {
    // What is thrown must not get back into the test runner, of which this is a copy.
    std::string text = "threw";
    try {
      text = work();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
    const bool told = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = ::read(ends[0], part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  SSYNC_ASSERT(::waitpid(child, &status, 0) == child);
  return status == 0 ? text : "died";
}

std::string as_nobody(const std::function<std::string()>& work) {
  return in_child([&]() -> std::string {
    constexpr unsigned kNobody = 65534;
    if (::geteuid() != 0) return work();
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0) {
      return "cannot give up root";
    }
    return work();
  });
}

bool nobody_reaches(const std::string& path) {
  return as_nobody([&] { return ::access(path.c_str(), R_OK | W_OK | X_OK) == 0 ? "yes" : "no"; }) == "yes";
}

std::string without_openat2(int err, const std::function<std::string()>& work) {
  return in_child([&] { return block_openat2(err) ? work() : "no seccomp"; });
}

std::string with_tmpfs(const std::string& path, int size_kib, const std::function<std::string()>& work) {
  return in_child([&]() -> std::string {
    const std::string options = "size=" + std::to_string(size_kib) + "k";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      return "skip";
    }
    return work();
  });
}

}  // namespace ssync::fs
