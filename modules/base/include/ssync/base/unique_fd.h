#pragma once

#include <utility>

namespace ssync {

/// Owner of one file descriptor, closed in the destructor. Thread safety: one thread at a time.
///
/// Errors of close(2) are dropped: data that must be on disk is flushed by fsync or syncfs before, which
/// reports them.
class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() noexcept = default;
  /// Takes ownership. Negative means none, so the result of open(2) can be passed straight in.
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  /// Borrowed: do not close. Negative when there is none.
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  explicit operator bool() const noexcept { return valid(); }

  /// Gives the descriptor to the caller, who closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes what is owned, then owns `fd`. Keeps errno.
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

}  // namespace ssync
