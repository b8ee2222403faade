#include "ports.h"

#include <fstream>

namespace ssync::net {
namespace {

constexpr unsigned kFirst = 10240;
constexpr unsigned kLast = 65535;
constexpr unsigned kEnough = 1024;

std::uniform_int_distribution<unsigned> free_range() {
  unsigned low = 32768;
  unsigned high = 60999;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high;
  if (low > kFirst + kEnough && low <= kLast) return std::uniform_int_distribution<unsigned>(kFirst, low - 1);
  // An administrator widened the range; what is above it will do, else anything.
  if (high + kEnough < kLast) return std::uniform_int_distribution<unsigned>(high + 1, kLast);
  return std::uniform_int_distribution<unsigned>(kFirst, kLast);
}

}  // namespace

PortPicker::PortPicker() : random_(std::random_device{}()), range_(free_range()) {}

std::uint16_t PortPicker::next() {
  unsigned port = range_(random_);
  if (port == last_) port = range_.min() + (port - range_.min() + 1) % (range_.max() - range_.min() + 1);
  last_ = port;
  return static_cast<std::uint16_t>(port);
}

}  // namespace ssync::net
