// Byte credit (proto-spec/04 §4): of each session an absolute limit that only grows, so a lost or repeated
// grant does no harm, and over-sending is one comparison; of all sessions of a server together a window.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ssync/base/assert.h"

namespace ssync::session {

/// What the grants of a server share. Together they never exceed `window`, but that each may have `least` in
/// any case: at most window + least x grants is on its way or waits. A grant that others come beside keeps
/// what it was told, and shrinks to its share as that comes back; nobody gets more meanwhile than is free.
/// Requires: 0 < least <= window.
class CreditPool {
 public:
  CreditPool(std::uint64_t window, std::uint64_t least) : window_(window), least_(least) {
    SSYNC_ASSERT(0 < least && least <= window);
  }
  [[nodiscard]] std::uint64_t least() const { return least_; }
  /// The window of a grant that has `own` out.
  [[nodiscard]] std::uint64_t window_for(std::uint64_t own) const {
    const std::uint64_t share = window_ / std::max<std::uint64_t>(grants_, 1);
    const std::uint64_t free = window_ - std::min(window_, out_ - own);
    return std::max(least_, std::min(share, free));
  }
  /// Granted and not returned, of all.
  [[nodiscard]] std::uint64_t out() const { return out_; }

 private:
  friend class CreditGrant;

  std::uint64_t window_;
  std::uint64_t least_;
  std::uint64_t out_ = 0;
  std::uint64_t grants_ = 0;
};

/// The receiver's end. At most its window is on its way or waits to be written; the more of it waits, the
/// less may be on its way, but always `least`, with which it begins: a queue before a writer that is busy
/// anyway only takes memory, and what lies in it for long has left the processor's caches when its turn
/// comes.
class CreditGrant {
 public:
  /// Requires: the pool outlives it.
  explicit CreditGrant(CreditPool& pool) : pool_(pool), limit_(pool.least()) {
    ++pool_.grants_;
    pool_.out_ += limit_;
  }
  ~CreditGrant() {
    --pool_.grants_;
    pool_.out_ -= out();
  }
  CreditGrant(const CreditGrant&) = delete;
  CreditGrant& operator=(const CreditGrant&) = delete;

  /// Charged bytes so far: the offset that the next message must carry.
  [[nodiscard]] std::uint64_t used() const { return used_; }
  /// False, and nothing charged: that is more than the limit allows.
  [[nodiscard]] bool charge(std::uint64_t bytes) {
    if (bytes > limit_ - used_) return false;
    used_ += bytes;
    return true;
  }
  /// Never more comes back than was used, whatever the caller says: the window is what bounds memory.
  void give_back(std::uint64_t bytes) {
    const std::uint64_t back = std::min(bytes, used_ - returned_);
    returned_ += back;
    pool_.out_ -= back;
  }
  /// By so much the limit could be higher than was told.
  [[nodiscard]] std::uint64_t untold() const { return std::max(target(), limit_) - limit_; }
  /// Whether a grant is worth a message.
  [[nodiscard]] bool due() const { return untold() >= pool_.least() / 4; }
  /// The limit to tell now.
  [[nodiscard]] std::uint64_t tell() {
    const std::uint64_t more = untold();
    pool_.out_ += more;
    return limit_ += more;
  }

 private:
  [[nodiscard]] std::uint64_t out() const { return limit_ - returned_; }
  [[nodiscard]] std::uint64_t target() const {
    const std::uint64_t least = pool_.least();
    if (returned_ == 0) return least;  // it has not shown yet that it writes at all
    const std::uint64_t window = pool_.window_for(out());
    const std::uint64_t waiting = used_ - returned_;  // at most a window of it
    return returned_ + std::max(least, window - std::min(window, waiting * (window / least)));
  }

  CreditPool& pool_;
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
