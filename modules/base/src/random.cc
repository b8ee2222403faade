#include "ssync/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/base/text.h"

namespace ssync {

void fill_random(std::span<std::byte> into) {
  for (std::span<std::byte> rest = into; !rest.empty();) {
    const ssize_t got = ::getrandom(rest.data(), rest.size(), 0);
    // Anything but a signal means a kernel without getrandom (before 3.17), where nothing here runs.
    SSYNC_ASSERT(got > 0 || (got < 0 && errno == EINTR));
    if (got > 0) rest = rest.subspan(static_cast<std::size_t>(got));
  }
}

std::string random_hex(std::size_t random_bytes) {
  std::vector<std::byte> bytes(random_bytes);
  fill_random(bytes);
  return to_hex(bytes);
}

}  // namespace ssync
