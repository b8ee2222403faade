#include "ssync/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace ssync::detail {

void assertion_failed(const char* file, int line, const char* text) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, text);
  std::abort();
}

}  // namespace ssync::detail
