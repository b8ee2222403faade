// Byte credit of one session: an absolute limit that only grows (proto-spec/04 §4). Idempotent, so a lost or
// repeated grant does no harm, and over-sending is one comparison.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ssync/base/assert.h"

namespace ssync::session {

/// The receiver's end.
class CreditGrant {
 public:
  explicit CreditGrant(std::uint64_t window) : window_(window), limit_(window) {}

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
  /// Bytes given back and not told yet.
  [[nodiscard]] std::uint64_t untold() const { return window_ + returned_ - limit_; }
  /// Whether a grant is worth a message.
  [[nodiscard]] bool due() const { return untold() >= window_ / 4; }
  /// The limit to tell now.
  [[nodiscard]] std::uint64_t tell() { return limit_ = window_ + returned_; }

 private:
  std::uint64_t window_;
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
