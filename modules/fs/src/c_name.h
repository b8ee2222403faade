#pragma once

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/base/text.h"
#include "ssync/model/path.h"

namespace ssync::fs {

/// A checked name with the NUL that system calls want. On the stack: naming an entry allocates nothing.
class CName {
 public:
  [[nodiscard]] Result<void> set(std::string_view name) {
    SSYNC_TRY_VOID(check_name(name));
    std::memcpy(bytes_.data(), name.data(), name.size());
    bytes_[name.size()] = '\0';
    return {};
  }
  [[nodiscard]] const char* get() const noexcept { return bytes_.data(); }

 private:
  std::array<char, kNameBytesMax + 1>
      bytes_;  // NOLINT(cppcoreguidelines-pro-type-member-init): set() fills what is read
};

/// The Error of a failed call on one entry: "renaming a\#012b". An empty name is the directory (or file)
/// itself: "listing".
[[nodiscard]] inline tl::unexpected<Error> failed(std::string_view operation, std::string_view name,
                                                  int err) {
  std::string text(operation);
  if (!name.empty()) text.append(" ").append(escape(name));
  if (err == EMFILE) text.append(": more than this process may open (raise ulimit -n)");
  return fail(errno_error(text, err));
}

/// The same where the errno means something else here than it does in general.
[[nodiscard]] inline tl::unexpected<Error> failed(std::string_view operation, std::string_view name, int err,
                                                  Errc code) {
  auto error = failed(operation, name, err);
  error.value().code = code;
  return error;
}

}  // namespace ssync::fs
