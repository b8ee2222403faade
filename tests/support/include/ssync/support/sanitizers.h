// Which sanitizer this is built with: some things cost more with one, or are the sanitizer's own.
#pragma once

namespace ssync::support {

#ifdef __has_feature
inline constexpr bool kHasAddressSanitizer = __has_feature(address_sanitizer);
inline constexpr bool kHasThreadSanitizer = __has_feature(thread_sanitizer);
#else
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kHasAddressSanitizer = true;
#else
inline constexpr bool kHasAddressSanitizer = false;
#endif
#ifdef __SANITIZE_THREAD__
inline constexpr bool kHasThreadSanitizer = true;
#else
inline constexpr bool kHasThreadSanitizer = false;
#endif
#endif
inline constexpr bool kHasSanitizer = kHasAddressSanitizer || kHasThreadSanitizer;

}  // namespace ssync::support
