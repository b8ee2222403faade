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

/// Raises the soft limit of open files to the hard one. Errc::limit, with what is to be done, when fewer than
/// `needed` more can be opened then.
[[nodiscard]] Result<void> raise_descriptor_limit(std::size_t needed);

/// How many more this process may open now, at most 2^20. Cost: reads /proc/self/fd. Without that, the limit
/// less some that are usual.
[[nodiscard]] std::size_t descriptors_left() noexcept;

[[nodiscard]] constexpr bool is_out_of_descriptors(int err) noexcept {
  return err == EMFILE || err == ENFILE;
}

/// The waiting of open_with_patience().
class DescriptorWait {
 public:
  /// Waits a little; false, at once, when it is enough. errno stays.
  [[nodiscard]] bool once() noexcept;

 private:
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int next_ms_ = 1;
};

/// Calls `open`, which gives a descriptor or -1 with errno, again as long as it is out of descriptors: other
/// threads give theirs back. What it gave last, after 5 s at most. Cost when there are enough: none.
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
