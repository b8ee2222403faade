// Byte credit of one session: an absolute limit that only grows (proto-spec/04 §4). Idempotent, so a lost or
// repeated grant does no harm, and over-sending is one comparison.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ssync/base/assert.h"

namespace ssync::session {

/// The receiver's end. At most `window` is on its way or waits to be written; the more of it waits, the less
/// may be on its way, but always `least`, with which it begins: a queue before a writer that is busy anyway
/// only takes memory, and what lies in it for long has left the processor's caches when its turn comes.
/// Requires: 0 < least <= window.
class CreditGrant {
 public:
  CreditGrant(std::uint64_t window, std::uint64_t least) : window_(window), least_(least), limit_(least) {
    SSYNC_ASSERT(0 < least && least <= window);
  }

  /// Charged bytes so far: the offset that the next message must carry.
  [[nodiscard]] std::uint64_t used() const { return used_; }
  /// False, and nothing charged: that is more than the limit allows.
  [[nodiscard]] bool charge(std::uint64_t bytes) {
    if (bytes > limit_ - used_) return false;
    used_ += bytes;
    return true;
  }
  /// Never more comes back than was used, whatever the caller says: the window is what bounds memory.
  void give_back(std::uint64_t bytes) { returned_ += std::min(bytes, used_ - returned_); }
  /// By so much the limit could be higher than was told.
  [[nodiscard]] std::uint64_t untold() const { return std::max(target(), limit_) - limit_; }
  /// Whether a grant is worth a message.
  [[nodiscard]] bool due() const { return untold() >= least_ / 4; }
  /// The limit to tell now.
  [[nodiscard]] std::uint64_t tell() { return limit_ = std::max(target(), limit_); }

 private:
  [[nodiscard]] std::uint64_t target() const {
    if (returned_ == 0) return least_;                // it has not shown yet that it writes at all
    const std::uint64_t waiting = used_ - returned_;  // at most a window
    return returned_ + std::max(least_, window_ - std::min(window_, waiting * (window_ / least_)));
  }

  std::uint64_t window_;
  std::uint64_t least_;
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
  std::uint64_t returned_ = 0;
};

/// The sender's end.
class CreditUse {
 public:
  /// False when the limit went backwards: the peer is broken.
  [[nodiscard]] bool grant(std::uint64_t limit) {
    if (limit < limit_) return false;
    limit_ = limit;
    return true;
  }
  [[nodiscard]] bool covers(std::uint64_t bytes) const { return bytes <= limit_ - used_; }
  /// Requires covers(bytes). The offset that the message carries.
  std::uint64_t use(std::uint64_t bytes) {
    SSYNC_ASSERT(covers(bytes));
    const std::uint64_t offset = used_;
    used_ += bytes;
    return offset;
  }

 private:
  std::uint64_t limit_ = 0;
  std::uint64_t used_ = 0;
};

}  // namespace ssync::session
