// What a connection has received and what has come out of it as messages. Between the two lie libzmq's
// queues, where a message without an end is counted by no high-water mark (proto-spec/09 §3.1).
#pragma once

#include <chrono>
#include <cstdint>

#include "ssync/base/clock.h"

#include "frames.h"

namespace ssync::net {

/// As much as one connection may have there: more than credit or the list window let a peer send.
inline constexpr std::uint64_t kBacklogMax = 32 * 1024 * 1024;
/// From here on a connection is looked at more often.
inline constexpr std::uint64_t kBacklogMuch = kBacklogMax / 8;
/// How often all are looked at, and those that have much.
inline constexpr std::chrono::milliseconds kLookAtBacklogs{100};
inline constexpr std::chrono::milliseconds kLookAtMuch{5};

/// Of one TCP connection. Thread safety: none.
class Backlog {
 public:
  /// A message has come out.
  void taken(const Multipart& message) noexcept { taken_ += message.bytes + message.count * kFrameBytes; }
  /// Asks the kernel. 0 when it does not say.
  std::uint64_t look(int fd) noexcept;
  /// As look() found it last.
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }
  [[nodiscard]] bool is_much() const noexcept { return last_ > kBacklogMuch; }

 private:
  /// What a frame has beside its content, at most: ZMTP's flags and length, and what CURVE adds. Too much is
  /// made good by look().
  static constexpr std::uint64_t kFrameBytes = 9 + 33;
  std::uint64_t taken_ = 0;
  std::uint64_t last_ = 0;
};

/// When to look again. Thread safety: none.
class BacklogTimer {
 public:
  enum class Look : std::uint8_t { none, much, all };
  /// What is due, and counts from now.
  [[nodiscard]] Look due(SteadyTime now) noexcept;
  /// Found by the last look: some connection has much.
  void found_much(bool any) noexcept { any_much_ = any; }
  [[nodiscard]] SteadyTime next() const noexcept {
    return looked_ + (any_much_ ? kLookAtMuch : kLookAtBacklogs);
  }

 private:
  SteadyTime looked_{};  ///< at any
  SteadyTime looked_all_{};
  bool any_much_ = false;
};

}  // namespace ssync::net
