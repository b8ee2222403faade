#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>

#include "ssync/base/result.h"

namespace ssync {

/// Opens /dev/null on those of the descriptors 0 to 2 that whoever started this process had closed: otherwise
/// the next file or socket that is opened would be its standard output. Call it before anything else opens
/// one.
void open_standard_descriptors() noexcept;

/// Raises the soft limit of open files to the hard one. Errc::limit when even then fewer than `needed` more
/// can be opened; its text says what to do.
[[nodiscard]] Result<void> raise_descriptor_limit(std::size_t needed);

/// How many more this process may open now, at most 2^20. Cost: reads /proc/self/fd; where that cannot be
/// read it is an estimate, the limit less what a process usually has open.
[[nodiscard]] std::size_t descriptors_left() noexcept;

[[nodiscard]] constexpr bool is_out_of_descriptors(int err) noexcept {
  return err == EMFILE || err == ENFILE;
}

/// The waiting of open_with_patience().
class DescriptorWait {
 public:
  /// Waits, each time a little longer. False, without waiting, once 5 s have passed since this object was
  /// made. Keeps errno.
  [[nodiscard]] bool once() noexcept;

 private:
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int next_ms_ = 1;
};

/// Calls `open`, which returns a descriptor, or -1 with errno. When there are no descriptors left, it calls
/// it again and again for up to 5 s, as other threads may close theirs. Returns what the last call returned.
/// Cost when there are enough: none.
template <typename Open>
[[nodiscard]] int open_with_patience(Open&& open) {
  int fd = open();
  if (fd >= 0 || !is_out_of_descriptors(errno)) return fd;
  for (DescriptorWait wait; fd < 0 && is_out_of_descriptors(errno) && wait.once();)
    fd = open();
  return fd;
}

/// Whether an errno says that this process, or the system, lacks something that has nothing to do with the
/// file in question: descriptors, memory.
[[nodiscard]] bool is_shortage(int err) noexcept;

}  // namespace ssync
