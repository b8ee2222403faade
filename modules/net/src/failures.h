// Failed handshakes by address, to end guessing.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ssync/base/clock.h"

namespace ssync::net {

/// One thread. Memory: kAddressesMax entries. An IPv6 address counts with all of its /64, which one machine
/// can use as it likes.
class Failures {
 public:
  static constexpr std::size_t kAddressesMax = 4096;
  static constexpr std::chrono::minutes kWindow{1};

  /// One more of this numeric address; how many there were within the minute, this one included. When there
  /// are too many addresses to count, each counts as the greatest number.
  unsigned add(std::string_view address, SteadyTime now);

 private:
  struct Count {
    SteadyTime since;
    unsigned failures = 0;
  };
  std::unordered_map<std::string, Count> counts_;
};

}  // namespace ssync::net
