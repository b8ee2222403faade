#pragma once

#include <cstddef>
#include <span>

namespace ssync {

/// 32 secret bytes: on a page of their own that is left out of core dumps (and kept out of swap where the
/// system allows that), overwritten when they are freed. Has no text and no comparison on purpose. Throws
/// std::bad_alloc when the system gives no page. Thread safety: as an array. Source: madvise(2)
/// MADV_DONTDUMP, mlock(2).
class Secret {
 public:
  static constexpr std::size_t kBytes = 32;

  Secret();  ///< all zero
  explicit Secret(std::span<const std::byte, kBytes> bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// Of 32 unpredictable bytes.
  [[nodiscard]] static Secret random();
  [[nodiscard]] Secret clone() const { return Secret(bytes()); }

  [[nodiscard]] std::span<const std::byte, kBytes> bytes() const noexcept {
    return std::span<const std::byte, kBytes>(page_, kBytes);
  }
  [[nodiscard]] std::span<std::byte, kBytes> bytes() noexcept {
    return std::span<std::byte, kBytes>(page_, kBytes);
  }

 private:
  std::byte* page_;  ///< null after a move
};

/// Overwrites what a secret was copied to, in a way that no optimizer leaves out.
void wipe(std::span<std::byte> bytes) noexcept;
/// Wipes `bytes` when the scope ends.
class Wiper {
 public:
  explicit Wiper(std::span<std::byte> bytes) noexcept : bytes_(bytes) {}
  Wiper(const Wiper&) = delete;
  Wiper& operator=(const Wiper&) = delete;
  ~Wiper() { wipe(bytes_); }

 private:
  std::span<std::byte> bytes_;
};

/// No core dump of this process, and no other process of the same user looks into it: for programs that hold
/// secrets in memory that is not theirs to mark, such as a library's. Source: prctl(2) PR_SET_DUMPABLE.
void forbid_core_dumps() noexcept;

}  // namespace ssync
