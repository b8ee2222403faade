// What an attack costs its victim, and what it must not.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>

#include "harness.h"

namespace ssync::hostile {

/// Of a running process, as /proc has it.
[[nodiscard]] std::size_t rss_mib(pid_t pid);
[[nodiscard]] std::size_t descriptors(pid_t pid);
[[nodiscard]] double cpu_seconds(pid_t pid);

/// Repeats a step in a thread of its own until it goes, and meanwhile notes what the victim needs.
class Attack {
 public:
  Attack(pid_t victim, std::function<void()> step);
  ~Attack() { stop(); }
  Attack(const Attack&) = delete;
  Attack& operator=(const Attack&) = delete;
  void stop();
  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] std::size_t rss_mib_max() const { return rss_max_; }
  [[nodiscard]] std::size_t descriptors_max() const { return descriptors_max_; }
  /// Seconds of CPU a second, since the beginning.
  [[nodiscard]] double cpu() const;

 private:
  const pid_t victim_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const double cpu_before_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> steps_ = 0, rss_max_ = 0, descriptors_max_ = 0;
  std::thread watching_, attacking_;
};

/// While nothing but the attack goes on, for 2 s, it costs the server less than one core.
void expect_little_work(const Attack& attack);
/// The server is within what an attack may cost it: 300 MiB and its limit of descriptors.
/// With a sanitizer, only the descriptors are looked at.
void expect_bearable(const Attack& attack, std::size_t descriptors_max);

}  // namespace ssync::hostile
