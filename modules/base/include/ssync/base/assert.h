#pragma once

namespace ssync::detail {

/// Writes "file:line: assertion failed: text" to stderr and aborts. Allocates nothing.
[[noreturn]] void assertion_failed(const char* file, int line, const char* text) noexcept;

}  // namespace ssync::detail

/// Ends the program if `condition` is false; on in every build, release too. For programmer mistakes only:
/// bytes from a peer or from disk are checked with an Error.
#define SSYNC_ASSERT(condition)                                                          \
  do {                                                                                   \
    if (!(condition)) ::ssync::detail::assertion_failed(__FILE__, __LINE__, #condition); \
  } while (false)
