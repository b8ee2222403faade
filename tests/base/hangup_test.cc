#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include <gtest/gtest.h>

#include "ssync/base/signals.h"

namespace ssync {
namespace {

constexpr int kEnd = 1;
constexpr int kReopen = 2;

/// What take() says after the first signal, as an exit code.
int answer(Signals& signals) {
  if (!wait_readable(signals.fd(), 10'000).value_or(false)) return 99;
  const Signals::Taken taken = signals.take();
  return (taken.end ? kEnd : 0) | (taken.reopen_logs ? kReopen : 0);
}

int exit_code_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The exit code of a child without a terminal that does this.
int without_terminal(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    _exit(body());
  }
  return exit_code_of(child);
}

/// The exit code of a child that leads the session of a new terminal, which is closed as soon as the child is
/// `ready` (it writes a byte there).
int on_terminal_that_goes(const std::function<int()>& body) {
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) _exit(body());
  char ready = 0;
  EXPECT_EQ(::read(terminal, &ready, 1), 1);
  ::close(terminal);
  return exit_code_of(child);
}

int say_ready_and_wait() {
  Result<Signals> signals = Signals::block();
  if (!signals || ::write(STDOUT_FILENO, "r", 1) != 1) return 98;
  return answer(*signals);
}

TEST(HangupTest, TermEnds) {
  EXPECT_EQ(without_terminal([] {
              Signals signals = Signals::block().value();
              ::raise(SIGTERM);
              return answer(signals);
            }),
            kEnd);
}

TEST(HangupTest, HangupFromAProcessReopensLogs) {
  EXPECT_EQ(without_terminal([] {
              Signals signals = Signals::block().value();
              ::kill(::getpid(), SIGHUP);
              return answer(signals);
            }),
            kReopen);
}

TEST(HangupTest, HangupFromAProcessReopensLogsOnATerminalToo) {
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) _exit(say_ready_and_wait());
  char ready = 0;
  EXPECT_EQ(::read(terminal, &ready, 1), 1);
  ::kill(child, SIGHUP);
  EXPECT_EQ(exit_code_of(child), kReopen);
  ::close(terminal);
}

TEST(HangupTest, ALostTerminalEnds) {
  EXPECT_EQ(on_terminal_that_goes(say_ready_and_wait), kEnd);
}

TEST(HangupTest, ALostTerminalEndsAlsoWhenTheShellPassesItOn) {
  EXPECT_EQ(on_terminal_that_goes([] {
              ::signal(SIGHUP, SIG_IGN);  // a shell in short: it survives, and tells its job
              const pid_t job = ::fork();
              if (job == 0) {
                ::signal(SIGHUP, SIG_DFL);
                ::setpgid(0, 0);  // in the background, where the kernel says nothing
                _exit(say_ready_and_wait());
              }
              char c = 0;
              while (::read(STDIN_FILENO, &c, 1) > 0) {
              }
              ::kill(job, SIGHUP);
              return exit_code_of(job);
            }),
            kEnd);
}

TEST(HangupTest, WhoWasToldToGoOnDoesWithoutItsTerminal) {
  EXPECT_EQ(on_terminal_that_goes([] {
              ::signal(SIGHUP, SIG_IGN);  // nohup
              return say_ready_and_wait();
            }),
            kReopen);
}

}  // namespace
}  // namespace ssync
