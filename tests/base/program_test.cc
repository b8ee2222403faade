// What programs need of the system: signals, the host's name.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

#include "ssync/base/exit_code.h"
#include "ssync/base/host.h"
#include "ssync/base/signals.h"

namespace ssync {
namespace {

/// The status of a child that ran `body`. A process of its own: signals belong to the process.
int in_child(int (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(SignalsTest, TheFirstSignalIsTakenFromTheDescriptor) {
  EXPECT_EQ(in_child([] {
              Result<Signals> signals = Signals::block();
              if (!signals || signals->take().end) return 1;
              ::raise(SIGTERM);
              const Result<bool> readable = wait_readable(signals->fd(), 1000);
              return readable && *readable && signals->take().end && !signals->take().end ? 0 : 2;
            }),
            0);
}

TEST(SignalsTest, TheSecondSignalEndsTheProcessAtOnce) {
  EXPECT_EQ(in_child([] {
              Result<Signals> signals = Signals::block();
              ::raise(SIGINT);
              (void)signals->take();
              ::raise(SIGTERM);
              return 3;
            }),
            to_int(ExitCode::interrupted));
}

TEST(SignalsTest, ABrokenPipeIsNoSignal) {
  EXPECT_EQ(in_child([] {
              const Result<Signals> signals = Signals::block();
              ::raise(SIGPIPE);
              return signals ? 0 : 1;
            }),
            0);
}

TEST(SignalsTest, WaitingEndsWithItsTime) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Result<bool> readable = wait_readable(ends[0], 1);
  EXPECT_TRUE(readable && !*readable);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(HostTest, TheNameAndTheFingerprintAreStable) {
  EXPECT_FALSE(machine_name().empty());
  EXPECT_EQ(machine_name(), machine_name());
  EXPECT_EQ(boot_fingerprint(), boot_fingerprint());
}

}  // namespace
}  // namespace ssync
