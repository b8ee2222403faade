#include "ssync/session/backoff.h"

#include <algorithm>

namespace ssync::session {
namespace {

constexpr std::chrono::milliseconds kFirst{250};
constexpr std::chrono::milliseconds kMost{30000};

}  // namespace

Backoff::Backoff(std::uint64_t seed)
    : random_(static_cast<std::minstd_rand::result_type>(seed)), base_(kFirst) {}

std::chrono::milliseconds Backoff::next() {
  std::uniform_real_distribution<double> jitter(0.75, 1.25);
  const std::chrono::milliseconds wait(
      static_cast<std::int64_t>(static_cast<double>(base_.count()) * jitter(random_)));
  base_ = std::min(base_ * 2, kMost);
  return wait;
}

void Backoff::reset() noexcept {
  base_ = kFirst;
}

}  // namespace ssync::session
