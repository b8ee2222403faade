# Adds the chosen sanitizer (SSYNC_SANITIZE) and fuzzing instrumentation (SSYNC_FUZZ) to ssync_settings.

include_guard(GLOBAL)

if(SSYNC_SANITIZE STREQUAL "address")
  set(_ssync_sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(SSYNC_SANITIZE STREQUAL "address-only")
  set(_ssync_sanitize -fsanitize=address)
elseif(SSYNC_SANITIZE STREQUAL "thread")
  set(_ssync_sanitize -fsanitize=thread)
elseif(NOT SSYNC_SANITIZE STREQUAL "")
  message(FATAL_ERROR "SSYNC_SANITIZE must be empty, address, address-only or thread, not '${SSYNC_SANITIZE}'")
endif()

if(_ssync_sanitize)
  target_compile_options(ssync_settings INTERFACE ${_ssync_sanitize} -fno-omit-frame-pointer
    # GCC warns falsely about code that a sanitizer has rewritten.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(ssync_settings INTERFACE ${_ssync_sanitize})
endif()

if(SSYNC_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "SSYNC_FUZZ needs clang (libFuzzer); use the fuzz preset")
  endif()
  target_compile_options(ssync_settings INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(ssync_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
