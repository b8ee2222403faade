#pragma once

// XXH3 by the best vector unit of this machine: the plain functions of the packaged library are built for the
// oldest one. The state is kept by value, whose size this library version fixes.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include <cstring>

#include "ssync/model/entry.h"

namespace ssync::content {

[[nodiscard]] inline Checksum to_checksum(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  Checksum checksum;
  static_assert(sizeof canonical.digest == sizeof checksum);
  std::memcpy(checksum.data(), canonical.digest, sizeof checksum);
  return checksum;
}

}  // namespace ssync::content
