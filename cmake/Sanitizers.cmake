# Adds the chosen sanitizer (SSYNC_SANITIZE) and fuzzing instrumentation (SSYNC_FUZZ) to ssync_settings.

include_guard(GLOBAL)

if(SSYNC_SANITIZE STREQUAL "address")
  # Without vptr: looking at a vtable takes a descriptor, and there are tests that leave none.
  set(_ssync_sanitize -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  # What is tested is checked, not how: a fifth less time to compile a test.
  set(SSYNC_TEST_OPTIONS -fno-sanitize=undefined)
elseif(SSYNC_SANITIZE STREQUAL "thread")
  set(_ssync_sanitize -fsanitize=thread)
elseif(NOT SSYNC_SANITIZE STREQUAL "")
  message(FATAL_ERROR "SSYNC_SANITIZE must be empty, address or thread, not '${SSYNC_SANITIZE}'")
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
  # What is fuzzed, not what tests it: that takes long to compile as it is.
  target_compile_options(ssync_settings INTERFACE
    $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>>:-fsanitize=fuzzer-no-link>)
  target_link_options(ssync_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
