#pragma once

#include <functional>

namespace ssync {

/// A descriptor that a loop watches beside its own, signals for example.
struct Watched {
  int fd = -1;                        ///< -1: none
  std::function<void()> on_readable;  ///< in the loop's thread
};

}  // namespace ssync
