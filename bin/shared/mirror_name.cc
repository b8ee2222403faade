#include "mirror_name.h"

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/wire/limits.h"

namespace ssync::programs {

Result<void> check_mirror_name(std::string_view name) {
  const auto wrong = [&](std::string_view why) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' cannot be the name of a mirror: {}", escape(name), why));
  };
  if (name.empty()) return wrong("it is empty");
  if (name.size() > wire::kMirrorNameBytesMax) return wrong("it is longer than 255 bytes");
  if (name.find('/') != name.npos)
    return wrong("a client names a mirror, not a path in it, so '/' is not allowed");
  if (name.find(':') != name.npos) return wrong("clients write HOST:PORT::NAME, so ':' is not allowed");
  if (name == "." || name == "..") return wrong("it would be taken for a directory");
  if (name.front() == ' ' || name.back() == ' ') return wrong("a space at its end would not be seen");
  // The same characters that are shown as they are, so that what is shown can be typed.
  if (escape_text(name) != name) return wrong("it has characters that cannot be shown, or is not UTF-8");
  return {};
}

}  // namespace ssync::programs
