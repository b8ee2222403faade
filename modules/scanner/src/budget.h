// A bound that threads share.
#pragma once

#include <atomic>
#include <cstddef>

namespace ssync::scanner {

/// How much is kept between finding a directory and reading it, over all threads. A directory beyond that is
/// opened, or listed, twice.
class Budget {
 public:
  explicit Budget(std::size_t limit) : left_(static_cast<std::ptrdiff_t>(limit)) {}
  /// False, and nothing taken, when there is not so much left.
  [[nodiscard]] bool take(std::size_t count) noexcept {
    const auto amount = static_cast<std::ptrdiff_t>(count);
    if (left_.fetch_sub(amount, std::memory_order_relaxed) >= amount) return true;
    give(count);
    return false;
  }
  void give(std::size_t count) noexcept {
    left_.fetch_add(static_cast<std::ptrdiff_t>(count), std::memory_order_relaxed);
  }

 private:
  std::atomic<std::ptrdiff_t> left_;
};

}  // namespace ssync::scanner
