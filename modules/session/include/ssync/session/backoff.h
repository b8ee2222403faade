// Waiting times between attempts to reach a server that is down.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace ssync::session {

/// 250 ms, doubled to at most 30 s, each +-25 %. One thread. `seed` makes a sequence repeatable.
class Backoff {
 public:
  explicit Backoff(std::uint64_t seed);
  [[nodiscard]] std::chrono::milliseconds next();
  void reset() noexcept;

 private:
  std::minstd_rand random_;
  std::chrono::milliseconds base_;
};

}  // namespace ssync::session
