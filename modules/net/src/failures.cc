#include "failures.h"

#include <arpa/inet.h>

#include <array>
#include <limits>

namespace ssync::net {
namespace {

/// The network part of an IPv6 address; any other as it is.
std::string network_of(std::string_view address) {
  std::string text(address.substr(0, address.find('%')));
  constexpr std::size_t kNetworkBytes = 8;
  std::array<char, 16> bytes{};
  const bool is_ipv6 = ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
  if (!is_ipv6 || text.find('.') != std::string::npos) return text;  // IPv4 in IPv6 is one machine
  return {bytes.data(), kNetworkBytes};
}

}  // namespace

unsigned Failures::add(std::string_view address, SteadyTime now) {
  std::string network = network_of(address);
  auto found = counts_.find(network);
  if (found == counts_.end()) {
    if (counts_.size() >= kAddressesMax)
      std::erase_if(counts_, [&](const auto& item) { return now - item.second.since >= kWindow; });
    if (counts_.size() >= kAddressesMax) return std::numeric_limits<unsigned>::max();
    found = counts_.emplace(std::move(network), Count{now, 0}).first;
  }
  Count& count = found->second;
  if (now - count.since >= kWindow) count = {now, 0};
  if (count.failures < std::numeric_limits<unsigned>::max()) ++count.failures;
  return count.failures;
}

}  // namespace ssync::net
