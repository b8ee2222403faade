#pragma once

#include <cstdint>
#include <optional>
#include <random>

namespace ssync::net {

/// Proposes ports for a server that takes any: at random, and outside the range from which the system takes
/// ports for outgoing connections (a client that retries on a port of that range may connect to itself).
class PortPicker {
 public:
  PortPicker();
  /// Never the same twice in a row.
  [[nodiscard]] std::uint16_t next();

 private:
  std::mt19937 random_;
  std::uniform_int_distribution<unsigned> range_;
  unsigned last_ = 0;
};

}  // namespace ssync::net
