#include "invitation_line.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::programs {
namespace {

constexpr std::string_view kForm = "ssync1:";
constexpr std::string_view kCommand = "client-sync --join ";

tl::unexpected<Error> wrong(std::string_view what) {
  return fail(
      Errc::invalid_argument,
      fmt::format("this is no invitation ({}): copy the whole line that server-sync --invite printed, "
                  "ssync1:HOST:PORT:KEY:TOKEN",
                  what));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// What is before the last ':', and after it.
std::string_view take_last(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return {};
  const std::string_view last = text.substr(colon + 1);
  text = text.substr(0, colon);
  return last;
}

}  // namespace

std::string text_of(const InvitationLine& line) {
  const bool brackets = line.host.find(':') != line.host.npos && !line.host.starts_with('[');
  return fmt::format("{}{}{}{}:{}:{}:{}", kForm, brackets ? "[" : "", line.host, brackets ? "]" : "",
                     line.control_port, net::text_of(line.server), to_hex(line.token));
}

Result<InvitationLine> parse_invitation_line(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with(kCommand)) text = trimmed(text.substr(kCommand.size()));
  if (!text.starts_with(kForm)) return wrong("it does not begin with ssync1:");
  text.remove_prefix(kForm.size());
  InvitationLine line;
  const auto token = from_hex(take_last(text));
  if (!token || token->size() != line.token.size()) return wrong("its token is not whole");
  std::ranges::copy(*token, line.token.begin());
  const auto key = net::parse_public_key(take_last(text));
  if (!key) return wrong("its key is not whole");
  line.server = *key;
  const std::string_view port = take_last(text);
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, line.control_port);
  if (error != std::errc() || stop != end || line.control_port == 0) return wrong("it has no port");
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (text.empty() || text.find_first_of("[]/@ ") != text.npos || escape(text) != text)
    return wrong("it has no host");
  line.host = text;
  return line;
}

}  // namespace ssync::programs
