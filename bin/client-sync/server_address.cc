#include "server_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/text.h"

#include "mirror_name.h"

namespace ssync::client_program {
namespace {

constexpr std::string_view kForm = "HOST[:PORT][::NAME]";

tl::unexpected<Error> wrong(std::string_view text, const std::string& what) {
  return fail(Errc::invalid_argument, fmt::format("'{}' {}", escape(text), what));
}

/// Numeric, perhaps with a zone: "fe80::1%eth0".
bool is_ipv6(std::string_view text) {
  const std::string address(text.substr(0, text.find('%')));
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port == 0) return std::nullopt;
  return port;
}

/// What other tools would understand, and this one does not.
Result<void> check_habits(std::string_view text) {
  const std::size_t at = text.find('@');
  if (text.starts_with("rsync://") || text.starts_with("ssh://"))
    return wrong(text, fmt::format("is a URL: write {}", kForm));
  if (at != text.npos && at < text.find('/') && text.find(':') > at)
    return wrong(text, fmt::format("has a user, and there is no login: write {}", kForm));
  if (text.size() >= 3 && text[1] == ':' && (text[2] == '\\' || text[2] == '/')) {
    return wrong(text,
                 fmt::format("is a path; the mirror's is known to the server, by a name: write {}", kForm));
  }
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return {};
  const std::size_t names = text.find("::");
  if (names != text.npos && names < slash) {
    return wrong(text, fmt::format("has a path in a mirror, and a mirror is synced as a whole: write {}",
                                   escape(text.substr(0, slash))));
  }
  return wrong(text,
               fmt::format("has a path; the mirror's is known to the server, by a name: write {}", kForm));
}

/// Host and the rest, which is empty or starts with ':'.
Result<std::pair<std::string, std::string_view>> split_host(std::string_view text) {
  if (!text.starts_with('[')) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    return std::pair(std::string(text.substr(0, colon)), text.substr(colon));
  }
  const std::size_t end = text.find(']');
  if (end == text.npos || !is_ipv6(text.substr(1, end - 1)))
    return wrong(text, "has no IPv6 address in its brackets: write [ADDRESS]:PORT::NAME");
  const std::string_view rest = text.substr(end + 1);
  if (!rest.empty() && !rest.starts_with(':'))
    return wrong(text, "has more after its brackets: write [ADDRESS]:PORT::NAME");
  return std::pair(std::string(text.substr(1, end - 1)), rest);
}

Result<void> check_ambiguity(std::string_view text) {
  if (text.starts_with("::") || !is_ipv6(text)) return {};
  const std::size_t names = text.find("::");
  const std::string address = fmt::format("[{}] for the address", text);
  const bool once = names != text.npos && text.find(':') == names && text.rfind(':') == names + 1;
  if (!once || names + 2 == text.size()) return wrong(text, "is an IPv6 address: write " + address);
  return wrong(text, fmt::format("can be read in two ways: write {}, or --server {} --mirror {}", address,
                                 text.substr(0, names), text.substr(names + 2)));
}

}  // namespace

Result<ServerAddress> parse_server_address(std::string_view text) {
  if (text.empty()) return wrong(text, fmt::format("names no server: write {}", kForm));
  SSYNC_TRY_VOID(check_habits(text));
  SSYNC_TRY_VOID(check_ambiguity(text));
  SSYNC_TRY(auto split, split_host(text));
  ServerAddress address;
  address.host = std::move(split.first);
  std::string_view rest = split.second;
  if (address.host.empty() && !rest.starts_with("::"))
    return wrong(text, fmt::format("has no host: write {}", kForm));
  if (rest.empty()) return address;
  if (!rest.starts_with("::")) {
    const std::size_t names = std::min(rest.find("::"), rest.size());
    const std::string_view port = rest.substr(1, names - 1);
    address.control_port = port_of(port);
    if (!address.control_port) {
      return wrong(text,
                   fmt::format("has '{}' where a port from 1 to 65535 is: a mirror's name has two colons "
                               "before it, {}",
                               escape(port), kForm));
    }
    rest = rest.substr(names);
    if (rest.empty()) return address;
  }
  address.mirror = rest.substr(2);
  if (address.mirror.empty())
    return wrong(text, fmt::format("names no mirror after '::'; client-sync --list {} shows what there is",
                                   address.host.empty() ? "localhost" : escape(address.host)));
  SSYNC_TRY_VOID(programs::check_mirror_name(address.mirror));
  return address;
}

Result<std::string> parse_host(std::string_view text) {
  if (is_ipv6(text)) return std::string(text);
  SSYNC_TRY(auto address, parse_server_address(text));
  if (address.control_port || !address.mirror.empty()) {
    return wrong(text,
                 "is more than a host: the rest has options of its own, --control-port and --mirror; or "
                 "write it after DIR");
  }
  return address.host;
}

}  // namespace ssync::client_program
